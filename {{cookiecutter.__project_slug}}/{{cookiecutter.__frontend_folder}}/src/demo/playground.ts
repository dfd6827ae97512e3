// Compose a request, send it, and see the result and the explanation, step by step.

import { API_URL } from "../api";
import { find, make, makeButton, makeSteps, show, showError } from "../app/elements";
import { type BrowserRequest, type Explanation, requestExplanation } from "../explain";

type Preset = { method: string; path: string; headers?: string; body?: string; credentials?: boolean };

const JSON_TYPE = "Content-Type: application/json";
const presets: Record<string, Preset> = {
  simple: { method: "GET", path: "/api/demo/cors/hello" },
  preflighted: { method: "POST", path: "/api/public/echo", headers: JSON_TYPE, body: '{"message": "Hello"}' },
  credentialed: { method: "GET", path: "/api/auth/me", credentials: true },
  "error response": { method: "GET", path: "/api/demo/cors/nothing" },
  "patch in lower case": { method: "patch", path: "/api/notes/1", headers: JSON_TYPE, body: "{}", credentials: true },
  "header that is not allowed": { method: "GET", path: "/api/demo/cors/hello", headers: "X-Lab: 1" },
  "forbidden header": { method: "GET", path: "/api/demo/cors/hello", headers: "Cookie: mine=1" },
  "no CORS policy": { method: "GET", path: "/api/demo/no-cors/hello" },
  "wildcard with cookies": { method: "GET", path: "/api/demo/cors/hello", credentials: true },
  "forbidden method": { method: "TRACE", path: "/api/demo/cors/hello" },
};
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "patch", "DELETE", "OPTIONS"];
const paths = ["/api/demo/cors/hello", "/api/demo/no-cors/hello", "/api/demo/cors/assets/cors.png", "/api/public/echo"];
paths.push("/api/auth/login", "/api/auth/logout", "/api/auth/me", "/api/notes", "/api/notes/1", "/health/live");

const getPart = (name: string) => find<HTMLInputElement>(`#play-${name}`);

export function startPlayground(): void {
  find("#presets").append(...Object.entries(presets).map(([name, preset]) => makeButton(name, () => fill(preset))));
  getPart("methods").append(...methods.map((value) => make("option", { value })));
  getPart("paths").append(...paths.map((value) => make("option", { value })));
  find("#play").addEventListener("submit", (event) => {
    event.preventDefault();
    play().catch((error) => showError(getPart("answer"), error));
  });
  fill(presets.simple as Preset);
}

function fill({ method, path, headers = "", body = "", credentials = false }: Preset): void {
  for (const [name, value] of Object.entries({ method, path, headers, body })) getPart(name).value = value;
  getPart("credentials").checked = credentials;
  for (const name of ["answer", "why"]) show(getPart(name), "", "Not sent yet.");
}

async function play(): Promise<void> {
  for (const name of ["answer", "why"]) show(getPart(name), "", "Sending…");
  const request = {
    method: getPart("method").value,
    url: new URL(getPart("path").value, new URL(API_URL, location.href)).href,
    origin: location.origin,
    headers: parseHeaders(getPart("headers").value),
    credentials: getPart("credentials").checked,
  };
  const succeeded = await send(request);
  explain(await requestExplanation(request, succeeded), succeeded);
}

const parseHeaders = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim())
    .map((line): [string, string] => [line.split(":", 1)[0]?.trim() ?? "", line.slice(line.indexOf(":") + 1).trim()]);

/** Send a request, show what the front end may read of the response, and return whether it got one. */
async function send(request: BrowserRequest): Promise<boolean> {
  const options: RequestInit = { method: request.method, credentials: request.credentials ? "include" : "omit" };
  if (!/^(get|head)$/i.test(request.method)) options.body = getPart("body").value;
  try {
    const response = await fetch(request.url, { ...options, headers: request.headers });
    const readable = [...response.headers].map((pair) => pair.join(": ")).join("\n");
    const body = await response.text();
    const status = make("strong", {}, `${response.status} ${response.statusText}`);
    const parts = [make("p", {}, "Readable headers:"), makePre(readable), make("p", {}, "Body:")];
    show(getPart("answer"), response.ok ? "ok" : "error", status, ...parts, makePre(body.slice(0, 2000) || "(empty)"));
    return true;
  } catch (error) {
    const text = "The front end gets nothing else: no status, headers, body or reason.";
    show(getPart("answer"), "blocked", make("strong", {}, "No response"), makePre(String(error)), make("p", {}, text));
    return false;
  }
}

function explain(explanation: Explanation | undefined, succeeded: boolean): void {
  if (!explanation) {
    show(getPart("why"), "", "No explanation: browsers do not send this, or the API is not running in development.");
    return;
  }
  const { allowed, reason, fix } = explanation;
  const verdict = allowed ? "Allowed: the front end may read the response" : `Blocked: ${reason ?? "not sent"}`;
  const comparison = allowed === succeeded ? "The browser has the same result." : "The browser has another result.";
  const content = [make("strong", {}, verdict), make("p", {}, comparison)];
  if (fix) content.push(make("p", {}, `Fix: ${fix}`));
  show(getPart("why"), allowed ? "ok" : "blocked", ...content, ...makeSteps(explanation));
}

const makePre = (text: string) => make("pre", {}, text);
