// Compose a request, send it, and see what the browser did beside what its algorithm says, step by step.

import { API_URL } from "./api";
import { button, find, make } from "./elements";
import { askWhy, type Explanation, type PageRequest } from "./explain";
import { show, tell, why } from "./outcome";

interface Preset {
  method: string;
  path: string;
  headers?: string;
  body?: string;
  credentials?: boolean;
}

const JSON_TYPE = "Content-Type: application/json";
const presets: Record<string, Preset> = {
  simple: { method: "GET", path: "/api/public/hello" },
  preflighted: { method: "POST", path: "/api/public/echo", headers: JSON_TYPE, body: '{"message": "Hello"}' },
  credentialed: { method: "GET", path: "/api/auth/me", credentials: true },
  "an error to read": { method: "GET", path: "/api/public/nothing" },
  "patch in lower case": {
    method: "patch",
    path: "/api/notes/1",
    headers: `${JSON_TYPE}\nIf-Match: "1"`,
    body: '{"title": "New"}',
    credentials: true,
  },
  "header that is not allowed": { method: "GET", path: "/api/public/hello", headers: "X-Lab: 1" },
  "header that only browsers set": { method: "GET", path: "/api/public/hello", headers: "Cookie: mine=1" },
  "no policy": { method: "GET", path: "/api/closed/hello" },
  "wildcard with cookies": { method: "GET", path: "/api/public/hello", credentials: true },
  "method of no page": { method: "TRACE", path: "/api/public/hello" },
};
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "patch", "DELETE", "OPTIONS"];
const paths = ["/api/public/hello", "/api/public/echo", "/api/public/feedback", "/api/public/assets/cors.png"];
paths.push("/api/closed/hello", "/api/auth/login", "/api/auth/logout", "/api/auth/me", "/api/notes", "/api/notes/1");
paths.push("/health/live", "/api/docs");

const method = find<HTMLInputElement>("#play-method");
const path = find<HTMLInputElement>("#play-path");
const headers = find<HTMLTextAreaElement>("#play-headers");
const body = find<HTMLTextAreaElement>("#play-body");
const credentials = find<HTMLInputElement>("#play-credentials");
const answer = find("#play-answer");
const reasons = find("#play-why");

export function startPlayground(): void {
  find("#presets").append(...Object.entries(presets).map(([name, preset]) => button(name, () => fill(preset))));
  find("#play-methods").append(...methods.map((value) => make("option", { value })));
  find("#play-paths").append(...paths.map((value) => make("option", { value })));
  find("#play").addEventListener("submit", (event) => {
    event.preventDefault();
    play().catch((error) => tell(answer, error));
  });
  fill(presets.simple as Preset);
}

function fill(preset: Preset): void {
  method.value = preset.method;
  path.value = preset.path;
  headers.value = preset.headers ?? "";
  body.value = preset.body ?? "";
  credentials.checked = preset.credentials ?? false;
  for (const place of [answer, reasons]) show(place, "", "Not sent yet.");
}

async function play(): Promise<void> {
  for (const place of [answer, reasons]) show(place, "", "Sending…");
  const asked = {
    method: method.value,
    url: new URL(path.value, new URL(API_URL, location.href)).href,
    origin: location.origin,
    headers: pairs(headers.value),
    credentials: credentials.checked,
  };
  const answered = await send(asked);
  explain(await askWhy(asked), answered);
}

const pairs = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim())
    .map((line): [string, string] => [line.split(":", 1)[0]?.trim() ?? "", line.slice(line.indexOf(":") + 1).trim()]);

/** Send it, show what the page can see of the answer, and return whether there was one. */
async function send(asked: PageRequest): Promise<boolean> {
  const options: RequestInit = { method: asked.method, credentials: asked.credentials ? "include" : "omit" };
  if (!/^(get|head)$/i.test(asked.method)) options.body = body.value;
  try {
    const response = await fetch(asked.url, { ...options, headers: asked.headers });
    const readable = [...response.headers].map((pair) => pair.join(": ")).join("\n");
    const content = await response.text();
    const status = make("strong", {}, `${response.status} ${response.statusText}`);
    const seen = [make("p", {}, "The headers that the page can read:"), pre(readable), make("p", {}, "The body:")];
    show(answer, response.ok ? "ok" : "error", status, ...seen, pre(content.slice(0, 2000) || "(empty)"));
    return true;
  } catch (error) {
    const all = make("p", {}, "That is all the page is told: no status, no header, no body, and not why.");
    show(answer, "blocked", make("strong", {}, "No answer"), pre(String(error)), all);
    return false;
  }
}

function explain(explanation: Explanation | undefined, answered: boolean): void {
  if (!explanation) {
    show(reasons, "", "No explanation: no browser sends this, or the API does not run, or not in development.");
    return;
  }
  const { allowed, reason, cure } = explanation;
  const verdict = allowed ? "Allowed: the page may read the answer" : `Blocked: ${reason ?? "never sent"}`;
  const agrees = allowed === answered ? "The browser did just that." : "Yet the browser did otherwise.";
  const content = [make("strong", {}, verdict), make("p", {}, agrees)];
  if (cure) content.push(make("p", {}, `Cure: ${cure}`));
  show(reasons, allowed ? "ok" : "blocked", ...content, ...why(explanation));
}

const pre = (text: string) => make("pre", {}, text);
