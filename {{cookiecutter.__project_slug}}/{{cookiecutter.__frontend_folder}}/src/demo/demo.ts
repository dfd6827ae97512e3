// The demo: a card for each kind of cross-origin request, a playground, and files of another origin.
// README.md says how to delete the demo. See MDN: Web/HTTP/Guides/CORS

import "./demo.css";
import type { AxiosRequestConfig, AxiosResponse } from "axios";
import { API_URL, api } from "../api";
import { find, make, makeStatus, show, showError } from "../app/elements";
import { isSameOrigin } from "../explain";
import html from "./demo.html?raw";
import { startPlayground } from "./playground";
import { startResources } from "./resources";

const withCredentials = false; // their policies allow every origin (*), and a wildcard does not allow cookies
const message = "Hello from the front end";

const requests: Record<string, () => AxiosRequestConfig> = {
  "simple-get": () => ({ url: "/api/demo/cors/hello", withCredentials }),
  "simple-post": () => ({ method: "POST", url: "/api/public/feedback", ...getFeedback(), withCredentials }),
  preflighted: () => ({ method: "POST", url: "/api/public/echo", data: { message }, withCredentials }),
  credentialed: () => ({ url: "/api/auth/me" }),
  "no-cors": () => ({ url: "/api/demo/no-cors/hello", withCredentials }),
};

/** Add the demo to the HTML. */
export function start(): void {
  find("main").insertAdjacentHTML("beforeend", html);
  const unused = isSameOrigin(API_URL) ? "two" : "one";
  for (const text of document.querySelectorAll(`[data-origins=${unused}]`)) text.remove();
  for (const [id, request] of Object.entries(requests)) {
    const result = makeStatus();
    find(`[data-request=${id}]`).append(result);
    find(`[data-request=${id}] button`).addEventListener("click", async () => {
      show(result, "", "Sending…");
      await api.request(request()).then(
        (response) => show(result, "ok", ...describeResponse(response)),
        (error) => showError(result, error),
      );
    });
  }
  startPlayground();
  startResources();
}

// axios encodes the object as its Content-Type says
function getFeedback(): AxiosRequestConfig {
  const type = find<HTMLSelectElement>("#content-type").value;
  return { headers: { "Content-Type": type }, data: type === "text/plain" ? message : { message } };
}

function describeResponse({ status, statusText, data, config }: AxiosResponse): Node[] {
  const body = make("code", {}, JSON.stringify(data));
  return [make("strong", {}, `${status} ${statusText}`), make("p", {}, describeKind(config)), body];
}

function describeKind({ baseURL = "", headers, withCredentials }: AxiosRequestConfig): string {
  if (isSameOrigin(baseURL)) return "Same origin: CORS does not apply.";
  if (withCredentials) return "Credentialed request.";
  const json = String(headers?.["Content-Type"]).startsWith("application/json");
  return json ? "Preflighted request: the browser sent OPTIONS first." : "Simple request: no preflight.";
}
