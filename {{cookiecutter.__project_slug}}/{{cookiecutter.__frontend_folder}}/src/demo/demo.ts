// The demo: each kind of cross-origin request, sent from its card, a playground, and uses of files.
// README.md says how to delete it. MDN: Web/HTTP/Guides/CORS

import "./demo.css";
import type { AxiosRequestConfig, AxiosResponse } from "axios";
import { API_URL, api } from "../api";
import { find, make, status as place, show, tell } from "../app/elements";
import { isSameOrigin } from "../explain";
import html from "./demo.html?raw";
import { startPlayground } from "./playground";
import { startResources } from "./resources";

const withCredentials = false; // the policies of these allow any origin (*), which excludes cookies
const message = "Hello from the page";

const requests: Record<string, () => AxiosRequestConfig> = {
  "simple-get": () => ({ url: "/api/demo/cors/hello", withCredentials }),
  "simple-post": () => ({ method: "POST", url: "/api/public/feedback", ...feedbackBody(), withCredentials }),
  preflighted: () => ({ method: "POST", url: "/api/public/echo", data: { message }, withCredentials }),
  credentialed: () => ({ url: "/api/auth/me" }),
  "no-cors": () => ({ url: "/api/demo/no-cors/hello", withCredentials }),
};

/** Add the demo to the page. */
export function start(): void {
  find("main").insertAdjacentHTML("beforeend", html);
  const others = isSameOrigin(API_URL) ? "two" : "one";
  for (const text of document.querySelectorAll(`[data-origins=${others}]`)) text.remove();
  for (const [id, request] of Object.entries(requests)) {
    const result = place();
    find(`[data-request=${id}]`).append(result);
    find(`[data-request=${id}] button`).addEventListener("click", async () => {
      show(result, "", "Sending…");
      await api.request(request()).then(
        (response) => show(result, "ok", ...describe(response)),
        (error) => tell(result, error),
      );
    });
  }
  startPlayground();
  startResources();
}

// axios writes the object as the form that the header names
function feedbackBody(): AxiosRequestConfig {
  const type = find<HTMLSelectElement>("#content-type").value;
  return { headers: { "Content-Type": type }, data: type === "text/plain" ? message : { message } };
}

function describe({ status, statusText, data, config }: AxiosResponse): Node[] {
  const body = make("code", {}, JSON.stringify(data));
  return [make("strong", {}, `${status} ${statusText}`), make("p", {}, `It was ${describeKind(config)}.`), body];
}

function describeKind({ baseURL = "", headers, withCredentials }: AxiosRequestConfig): string {
  if (isSameOrigin(baseURL)) return "same-origin: CORS does not apply";
  if (withCredentials) return "credentialed";
  const json = String(headers?.["Content-Type"]).startsWith("application/json");
  return json ? "preflighted: the browser sent OPTIONS first" : "simple: no preflight";
}
