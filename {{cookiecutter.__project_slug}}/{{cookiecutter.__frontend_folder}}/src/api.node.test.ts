// @vitest-environment node
// The same client without a browser: there is no CORS, and axios' `proxy` works.

import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApi } from "./api";

const asked: string[] = []; // the first line of each request to the proxy
const api = createServer((_, answer) => answer.end('{"message": "Hello"}'));
const forwardProxy = createServer((incoming, answer) => {
  asked.push(`${incoming.method} ${incoming.url}`);
  const onward = request(incoming.url ?? "", { method: incoming.method, headers: incoming.headers }, (found) => {
    answer.writeHead(found.statusCode ?? 502, found.headers);
    found.pipe(answer);
  });
  incoming.pipe(onward);
}).on("connect", ({ url }, socket) => {
  asked.push(`CONNECT ${url}`);
  socket.end("HTTP/1.1 403 Not through here\r\n\r\n");
});

const listen = (server: Server) => new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
const port = (server: Server) => (server.address() as AddressInfo).port;
const DEAD = { host: "127.0.0.1", port: 9 }; // the port "discard": nobody listens there

beforeAll(() => Promise.all([listen(api), listen(forwardProxy)]));
afterAll(() => [api, forwardProxy].map((server) => server.close()));

test("there is no browser", () => {
  expect([typeof window, typeof location]).toEqual(["undefined", "undefined"]);
});

test("a request to http goes through the proxy", async () => {
  const baseURL = `http://localhost:${port(api)}`;
  const { data } = await createApi({ baseURL, proxy: { host: "127.0.0.1", port: port(forwardProxy) } }).get("/hello");
  expect([data, asked.splice(0)]).toEqual([{ message: "Hello" }, [`GET ${baseURL}/hello`]]);
});

test("a request to https asks the proxy for a tunnel, and fails with its refusal", async () => {
  const proxy = { host: "127.0.0.1", port: port(forwardProxy) };
  const refused = createApi({ baseURL: "https://api.invalid", proxy }).get("/hello");
  await expect(refused).rejects.toMatchObject({ name: "ApiError", status: 403, message: "Not through here" });
  expect(asked.splice(0)).toEqual(["CONNECT api.invalid:443"]);
});

test.each([
  ["a dead proxy", { proxy: DEAD }, "no server responds at the proxy 127.0.0.1:9 (connect", "Start the proxy"],
  ["a dead server", { proxy: false as const }, "no server responds at http://127.0.0.1:9 (connect", "uv run dev.py"],
])("%s is said in words", async (_, options, message, fix) => {
  const failed = createApi({ baseURL: "http://127.0.0.1:9", ...options }).get("/hello");
  await expect(failed).rejects.toMatchObject({ name: "BlockedError", reason: "no server" });
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toMatchObject({ advice: [expect.stringContaining(fix)] });
});
