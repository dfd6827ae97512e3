// The kinds of cross-origin requests, each sent from its card. MDN: Web/HTTP/Guides/CORS

import type { AxiosRequestConfig, AxiosResponse } from "axios";
import { api } from "../api";
import { find, make, status as place } from "../app/elements";
import { show, tell } from "../app/outcome";
import { isSameOrigin } from "../explain";

const withCredentials = false; // the policies of these allow any origin (*), which excludes cookies
const message = "Hello from the page";

const kinds: Record<string, () => AxiosRequestConfig> = {
  "simple-get": () => ({ url: "/api/demo/cors/hello", withCredentials }),
  "simple-post": () => ({ method: "POST", url: "/api/public/feedback", ...feedbackBody(), withCredentials }),
  preflighted: () => ({ method: "POST", url: "/api/public/echo", data: { message }, withCredentials }),
  credentialed: () => ({ url: "/api/auth/me" }),
  "no-cors": () => ({ url: "/api/demo/no-cors/hello", withCredentials }),
};

export function startRequests(): void {
  for (const [id, request] of Object.entries(kinds)) {
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
