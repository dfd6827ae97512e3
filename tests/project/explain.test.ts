// Explanations of failed requests. vitest runs these tests inside a generated project.
// happy-dom simulates the browser. It applies CORS but does not support the mode "no-cors", so /health/live is open here.

import browserLog from "node:console";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createApi } from "./api";
import { type BlockedError, checkHosts } from "./explain";

const PAGE = "http://localhost:5173";
const type = "about:blank";
const answers: Record<string, [status: number, body: unknown, headers?: Record<string, string>]> = {
  "/health/live": [200, {}],
};
const cors = { "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Headers": "Content-Type" };
const server = createServer(async (request, response) => {
  const [status, body, headers] = answers[request.url ?? ""] ?? [200, {}, { "Access-Control-Allow-Origin": "" }];
  if (request.url === "/api/dev/explain" && request.method === "POST") asked.push(await json(request));
  response.writeHead(request.method === "OPTIONS" ? 204 : status, { ...cors, ...headers }).end(JSON.stringify(body));
});
const asked: unknown[] = []; // the requests that the API got to explain
const dead = "http://localhost:9"; // the port "discard": nothing listens there
let live = "";

beforeAll(async () => {
  vi.spyOn(browserLog, "error").mockReturnValue();
  vi.spyOn(browserLog, "warn").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  live = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.mocked(console.error).mockClear();
  delete answers["/api/dev/explain"];
});

const get = (path: string, config = {}) => createApi({ baseURL: live }).get(path, config);
const refusal = (request: Promise<unknown>) =>
  request.then(
    () => expect.fail("It did not fail."),
    (error: BlockedError) => error,
  );

test.each([
  ["a dead server", PAGE, () => dead, "no server", `PUT ${dead}/no-cors from ${PAGE}: no server responds`],
  ["a route without CORS", PAGE, () => live, "CORS", `to exactly ${PAGE}, without a slash`],
  ["a method", PAGE, () => live, "CORS", "does not allow PUT"],
  ["the other name", "http://127.0.0.1:5173/?a", () => live, "two host names", "Open http://localhost:5173/?a"],
  ["a dead server by its other name", "http://127.0.0.1:5173/", () => dead, "no server", "uv run dev.py"],
  ["the visitor's machine", "https://example.com/", () => dead, "no server", "only if the visitor permits it"],
  ["a name of a container", PAGE, () => "http://api:9", "no server", "Only containers know the name api"],
  ["a phone", "http://192.168.1.20:5173/", () => dead, "no server", "On each device, localhost is that device."],
  ["http from https", "https://example.com/", () => "http://api.invalid", "mixed content", "over https too"],
])("a failed request is explained by %s", async (_, page, baseURL, reason, words) => {
  vi.stubGlobal("location", new URL(page));
  const error = await refusal(createApi({ baseURL: baseURL() }).put("/no-cors", {}));
  expect(error.reason).toBe(reason);
  expect([error.message, ...error.advice].join("\n")).toContain(words);
});

const steps = [
  { step: "The method", ok: true, detail: "It is fine." },
  { step: "CORS check", ok: false, detail: "It says no." },
];
const explained = { allowed: false, reason: "CORSMethodNotFound", fix: ".env: A=b", steps };
const anyPage = { "Access-Control-Allow-Origin": "*" };

test("in development the API explains it, in the error and in the console", async () => {
  answers["/api/dev/explain"] = [200, explained, anyPage];
  const headers = { "X-Lab": "1" };
  const error = await refusal(createApi({ baseURL: live, headers }).patch("/no-cors?a=b", { title: "New" }));
  const words = `PATCH ${live}/no-cors?a=b from ${PAGE}: blocked by the browser at "CORS check". It says no.`;
  expect(error).toMatchObject({ reason: "CORS", message: words, fix: "Fix: .env: A=b", steps });
  expect(vi.mocked(console.error).mock.calls).toEqual([
    [expect.stringMatching(/It says no.*Fix: .env: A=b.*Errors\/CORSMethodNotFound$/s)],
  ]);
  expect(asked).toEqual([
    {
      method: "PATCH",
      url: `${live}/no-cors?a=b`,
      origin: PAGE,
      credentials: true,
      headers: expect.anything(),
      answered: false,
    },
  ]);
  expect(Object.fromEntries((asked.pop() as { headers: [] }).headers)).toEqual({
    Accept: "application/json, text/plain, */*",
    "Content-Type": "application/json",
    "X-Lab": "1",
  });
});

test.each([
  ["allows it", [200, { ...explained, allowed: true, reason: null }, anyPage], "unknown", "there was no response"],
  ["is missing in production", [404, { type, title: "Not Found", status: 404 }, anyPage], "CORS", "is running"],
  ["cannot be read", [200, explained, { "Access-Control-Allow-Origin": "" }], "CORS", "is running"],
] as const)("an explanation that %s is not reported as a refusal", async (_, answer, reason, words) => {
  answers["/api/dev/explain"] = [...answer];
  const error = await refusal(get("/no-cors"));
  expect([error.reason, error.message]).toEqual([reason, expect.stringContaining(words)]);
});

test("a built page requests no explanation", async () => {
  vi.stubEnv("DEV", false);
  answers["/api/dev/explain"] = [200, explained, anyPage];
  asked.length = 0;
  expect((await refusal(get("/no-cors"))).explanation).toBeUndefined();
  expect(asked).toEqual([]);
  vi.unstubAllEnvs();
});

test.each([true, false])("the advice mentions cookies only if they were sent: %s", async (withCredentials) => {
  const { advice } = await refusal(get("/no-cors", { withCredentials }));
  expect(advice.some((text) => text.includes("withCredentials"))).toBe(withCredentials);
});

test.each([
  ["http://localhost:5173/", "http://localhost:8000", undefined],
  ["https://app.example.com/", "http://localhost:8000", undefined],
  ["http://127.0.0.1:5173/", "", undefined],
  ["http://127.0.0.1:5173/", "http://localhost:8000", "Use the name localhost for both."],
  ["http://[::1]:5173/", "http://localhost:8000", "Use the name localhost for both."],
  ["http://localhost:5173/", "http://127.0.0.1:8000", "Set VITE_API_URL=http://localhost:8000 in .env"],
])("a page at %s and an API at '%s' use two names: %s", (page, apiURL, fix) => {
  const found = checkHosts(page, apiURL);
  expect(found?.open).toBe(fix && "http://localhost:5173/");
  expect(found?.message ?? "").toContain(fix ?? "");
});
