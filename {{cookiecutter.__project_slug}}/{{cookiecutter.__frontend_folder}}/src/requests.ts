// The kinds of cross-origin request, each sent live from its card on the page. MDN: Web/HTTP/Guides/CORS

import type { AxiosRequestConfig, AxiosResponse } from "axios";
import { api } from "./api";
import { find, make, status as place } from "./elements";
import { isSameOrigin } from "./explain";
import { show, tell } from "./outcome";

const withCredentials = false; // for an answer to any origin (*): to a request with cookies the browser would refuse it
const message = "Hello from the page";

const kinds: Record<string, () => AxiosRequestConfig> = {
  "simple-get": () => ({ url: "/api/public/hello", withCredentials }),
  "simple-post": () => ({ method: "POST", url: "/api/public/feedback", ...feedback(), withCredentials }),
  preflighted: () => ({ method: "POST", url: "/api/public/echo", data: { message }, withCredentials }),
  credentialed: () => ({ url: "/api/auth/me" }),
  blocked: () => ({ url: "/api/closed/hello", withCredentials }),
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
function feedback(): AxiosRequestConfig {
  const type = find<HTMLSelectElement>("#content-type").value;
  return { headers: { "Content-Type": type }, data: type === "text/plain" ? message : { message } };
}

function describe({ status, statusText, data, config }: AxiosResponse): Node[] {
  const body = make("code", {}, JSON.stringify(data));
  return [make("strong", {}, `${status} ${statusText}`), make("p", {}, `It was ${kindOf(config)}.`), body];
}

function kindOf({ baseURL = "", headers, withCredentials }: AxiosRequestConfig): string {
  if (isSameOrigin(baseURL)) return "of the page's own origin: no preflight, and nothing for CORS to decide";
  if (withCredentials) return "credentialed";
  const json = String(headers?.["Content-Type"]).startsWith("application/json");
  return json ? "preflighted: OPTIONS went ahead" : "simple: no preflight";
}
