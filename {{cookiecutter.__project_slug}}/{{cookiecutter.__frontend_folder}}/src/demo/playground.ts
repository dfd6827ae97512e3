// Compose a request, send it, and see what the page gets, and why, step by step.

import { API_URL } from "../api";
import { button, find, make, show, tell, why } from "../app/elements";
import { askWhy, type Explanation, type PageRequest } from "../explain";

type Preset = { method: string; path: string; headers?: string; body?: string; credentials?: boolean };

const JSON_TYPE = "Content-Type: application/json";
const presets: Record<string, Preset> = {
  simple: { method: "GET", path: "/api/demo/cors/hello" },
  preflighted: { method: "POST", path: "/api/public/echo", headers: JSON_TYPE, body: '{"message": "Hello"}' },
  credentialed: { method: "GET", path: "/api/auth/me", credentials: true },
  "an error to read": { method: "GET", path: "/api/demo/cors/nothing" },
  "patch in lower case": { method: "patch", path: "/api/notes/1", headers: JSON_TYPE, body: "{}", credentials: true },
  "header that is not allowed": { method: "GET", path: "/api/demo/cors/hello", headers: "X-Lab: 1" },
  "forbidden header": { method: "GET", path: "/api/demo/cors/hello", headers: "Cookie: mine=1" },
  "no policy": { method: "GET", path: "/api/demo/no-cors/hello" },
  "wildcard with cookies": { method: "GET", path: "/api/demo/cors/hello", credentials: true },
  "forbidden method": { method: "TRACE", path: "/api/demo/cors/hello" },
};
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "patch", "DELETE", "OPTIONS"];
const paths = ["/api/demo/cors/hello", "/api/demo/no-cors/hello", "/api/demo/cors/assets/cors.png", "/api/public/echo"];
paths.push("/api/auth/login", "/api/auth/logout", "/api/auth/me", "/api/notes", "/api/notes/1", "/health/live");

const part = (name: string) => find<HTMLInputElement>(`#play-${name}`);

export function startPlayground(): void {
  find("#presets").append(...Object.entries(presets).map(([name, preset]) => button(name, () => fill(preset))));
  part("methods").append(...methods.map((value) => make("option", { value })));
  part("paths").append(...paths.map((value) => make("option", { value })));
  find("#play").addEventListener("submit", (event) => {
    event.preventDefault();
    play().catch((error) => tell(part("answer"), error));
  });
  fill(presets.simple as Preset);
}

function fill({ method, path, headers = "", body = "", credentials = false }: Preset): void {
  for (const [name, value] of Object.entries({ method, path, headers, body })) part(name).value = value;
  part("credentials").checked = credentials;
  for (const name of ["answer", "why"]) show(part(name), "", "Not sent yet.");
}

async function play(): Promise<void> {
  for (const name of ["answer", "why"]) show(part(name), "", "Sending…");
  const asked = {
    method: part("method").value,
    url: new URL(part("path").value, new URL(API_URL, location.href)).href,
    origin: location.origin,
    headers: parseHeaders(part("headers").value),
    credentials: part("credentials").checked,
  };
  const succeeded = await send(asked);
  explain(await askWhy(asked, succeeded), succeeded);
}

const parseHeaders = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim())
    .map((line): [string, string] => [line.split(":", 1)[0]?.trim() ?? "", line.slice(line.indexOf(":") + 1).trim()]);

/** Send it, show what the page can read of the response, and return whether there was one. */
async function send(asked: PageRequest): Promise<boolean> {
  const options: RequestInit = { method: asked.method, credentials: asked.credentials ? "include" : "omit" };
  if (!/^(get|head)$/i.test(asked.method)) options.body = part("body").value;
  try {
    const response = await fetch(asked.url, { ...options, headers: asked.headers });
    const readable = [...response.headers].map((pair) => pair.join(": ")).join("\n");
    const content = await response.text();
    const status = make("strong", {}, `${response.status} ${response.statusText}`);
    const seen = [make("p", {}, "The headers that the page may read:"), pre(readable), make("p", {}, "The body:")];
    show(part("answer"), response.ok ? "ok" : "error", status, ...seen, pre(content.slice(0, 2000) || "(empty)"));
    return true;
  } catch (error) {
    const all = make("p", {}, "The page gets nothing else: no status, no header, no body, no reason.");
    show(part("answer"), "blocked", make("strong", {}, "No response"), pre(String(error)), all);
    return false;
  }
}

function explain(explanation: Explanation | undefined, succeeded: boolean): void {
  if (!explanation) {
    show(part("why"), "", "No explanation: no browser sends this request, or the API is not running in development.");
    return;
  }
  const { allowed, reason, fix } = explanation;
  const verdict = allowed ? "Allowed: the page may read the response" : `Blocked: ${reason ?? "never sent"}`;
  const agrees = allowed === succeeded ? "The browser did the same." : "But the browser did something else.";
  const content = [make("strong", {}, verdict), make("p", {}, agrees)];
  if (fix) content.push(make("p", {}, `Fix: ${fix}`));
  show(part("why"), allowed ? "ok" : "blocked", ...content, ...why(explanation));
}

const pre = (text: string) => make("pre", {}, text);
