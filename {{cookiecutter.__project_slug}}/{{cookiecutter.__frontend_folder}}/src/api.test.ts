// happy-dom replaces the browser: it applies CORS.

import browserLog from "node:console";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { api, createApi } from "./api";
import { BlockedError } from "./explain";

const PAGE = "http://localhost:5173";
const type = "about:blank";
const errors = { json: { title: ["Too short.", "Too plain."] }, query: { page: ["Not a number."] } };
const responses: Record<string, [status: number, body: unknown, headers?: Record<string, string>]> = {
  "/notes": [200, [{ id: 1 }]],
  "/401": [401, { type, title: "Unauthorized", status: 401, detail: "Sign in first." }],
  "/422": [422, { type, title: "Unprocessable Entity", status: 422, errors }],
  "/429": [429, { type, title: "Too Many Requests", status: 429 }, { "Retry-After": "42" }],
  "/502": [502, "<h1>Bad Gateway</h1>"],
};
const cors = {
  "Access-Control-Allow-Origin": PAGE,
  "Access-Control-Allow-Credentials": "true",
  "Access-Control-Allow-Headers": "Content-Type",
  "Access-Control-Expose-Headers": "Retry-After",
};
const server = createServer((request, response) => {
  const [status, body, headers] = responses[request.url ?? ""] ?? [200, {}, { "Access-Control-Allow-Origin": "" }];
  response.writeHead(request.method === "OPTIONS" ? 204 : status, { ...cors, ...headers }).end(JSON.stringify(body));
});
let baseURL = "";

beforeAll(async () => {
  vi.spyOn(browserLog, "error").mockReturnValue();
  vi.spyOn(browserLog, "warn").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  baseURL = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const get = (path: string, config = {}) => createApi({ baseURL }).get(path, config);

test("a response is returned unchanged", async () => {
  expect((await get("/notes")).data).toEqual([{ id: 1 }]);
});

test.each([
  ["has its detail", "/401", { name: "ApiError", message: "Sign in first.", status: 401, fields: {} }],
  ["has the message of each field", "/422", { fields: { title: "Too short. Too plain.", page: "Not a number." } }],
  ["has the seconds to wait", "/429", { message: "Too Many Requests", retryAfter: 42 }],
  ["has no seconds without Retry-After", "/401", { retryAfter: undefined }],
  ["has a fix", "/502", { problem: { title: "Bad Gateway" }, message: expect.stringContaining("Start the API") }],
])("an error %s", async (_, path, expected) => {
  await expect(get(path)).rejects.toMatchObject(expected);
});

test("by default, requests go to port 8000 with cookies", () => {
  expect(api.defaults).toMatchObject({ baseURL: "http://localhost:8000", withCredentials: true });
});

test.each([true, false])("cookies are sent only if withCredentials is true: %s", async (withCredentials) => {
  expect((await get("/notes", { withCredentials })).request.withCredentials).toBe(withCredentials);
});

test("a request that the browser blocks fails with the reason", async () => {
  await expect(get("/no-cors")).rejects.toBeInstanceOf(BlockedError);
});

test("a cancelled request is not explained", async () => {
  await expect(get("/notes", { signal: AbortSignal.abort() })).rejects.not.toBeInstanceOf(BlockedError);
});
