// Why a request got no answer: to axios, a refusal by the browser and a dead server are one and the same.

import axios, { type AxiosError, type AxiosRequestConfig } from "axios";

export type Reason = "no server" | "mixed content" | "mixed names" | "CORS";

/** No answer that the page may read: the message says what is known, `advice` what to do, the likeliest first. */
export class BlockedError extends Error {
  override name = "BlockedError";
  readonly reason: Reason;
  readonly advice: string[];

  constructor(reason: Reason, message: string, advice: string[]) {
    super(message);
    this.reason = reason;
    this.advice = advice;
  }
}

const isLoopback = ({ hostname }: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
const START = "Start the API: `uv run dev.py` in the project's folder. If it ends by itself, its last lines say why.";

/** Tell a request that nobody answered from one that was cancelled, say: a browser has one code for it, Node many. */
export function gotNoAnswer({ code = "" }: AxiosError): boolean {
  return /^(ERR_NETWORK|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code);
}

/** Tell why a request got no answer, and what to do. */
export async function explain(error: AxiosError): Promise<BlockedError> {
  const config: AxiosRequestConfig = error.config ?? {};
  if (typeof location === "undefined") return explainInNode(config, error.message);
  const page = new URL(location.href);
  const target = new URL(axios.getUri(config), page);
  const method = (config.method ?? "get").toUpperCase(); // as axios sends it; fetch would send `patch` as it is
  const blocked = (reason: Reason, known: string, ...advice: string[]) =>
    new BlockedError(reason, `${method} ${target.href} from a page of ${page.origin}: ${known}`, advice);

  if (page.protocol === "https:" && target.protocol === "http:" && !isLoopback(target)) {
    const cure = "Serve the API over https too, and set VITE_API_URL to that address. No CORS header helps here.";
    return blocked("mixed content", "never sent, because a page that came by https may not call http.", cure);
  }
  if (!(await isRunning(target))) {
    const move = "If it runs at another address, set VITE_API_URL in .env to that address and restart Vite.";
    const permit = "A page on the internet may call localhost only if the visitor permits it; no header helps.";
    const advice = isLoopback(page) ? [START, move] : [START, move, permit];
    return blocked("no server", `nothing answers at ${target.origin}.`, ...advice);
  }
  const names = mixedNames(page.href, target.href);
  if (names) return blocked("mixed names", `blocked. ${names.message}`, `Open ${names.open}`);
  const cookies = "It sends cookies, which a policy for any origin (*) refuses: set withCredentials to false.";
  return blocked(
    "CORS",
    `blocked by the browser. ${target.origin} is running, but its answer does not let this page read it.`,
    "Look at the API's terminal: its last lines show the request, and the reason if a preflight was refused.",
    `FRONTEND_ORIGINS in .env must have exactly ${page.origin}, with no slash at the end. Then restart the API.`,
    `The route may have no CORS policy, or one that does not allow ${method} or a header of the request.`,
    ...(config.withCredentials ? [cookies] : []),
    "It may not be the API that answered: a proxy in front of it can, and on a Mac AirPlay does on port 5000.",
  );
}

// outside of a browser there is no CORS: what gives no answer is not there
function explainInNode(config: AxiosRequestConfig, said: string): BlockedError {
  const { method = "get", proxy } = config;
  const silent = proxy ? `the proxy ${proxy.host}:${proxy.port}` : new URL(axios.getUri(config)).origin;
  const known = `${method.toUpperCase()} ${axios.getUri(config)}: nothing answers at ${silent} (${said}).`;
  const cure = "Start the proxy, correct `proxy: { host, port }`, or leave it out.";
  return new BlockedError("no server", known, [proxy ? cure : START]);
}

/** Tell, before anything fails, that page and API use two names of one machine, and which address to open instead. */
export function mixedNames(page: string, api: string): { message: string; open: string } | undefined {
  const [from, to] = [new URL(page), new URL(api, page)];
  if (from.hostname === to.hostname || !isLoopback(from) || !isLoopback(to)) return undefined;
  const names = `The page is on ${from.hostname}, the API on ${to.hostname}: to a browser, two sites.`;
  const effect = "Signing in would answer 200 and the next call 401, because the cookie is not sent.";
  const atLocalhost = `http://localhost:${to.port}`;
  const cure = to.hostname === "localhost" ? "" : `Set VITE_API_URL=${atLocalhost} in .env, restart Vite. `;
  from.hostname = "localhost";
  return { message: `${names} ${effect} ${cure}Use the name localhost for both.`, open: from.href };
}

// a page may not read an answer without CORS, but it learns that there is one (Fetch: opaque filtered response)
function isRunning({ origin }: URL): Promise<boolean> {
  const unread = { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(3000) } as const;
  return fetch(`${origin}/health/live`, unread).then(Boolean, () => false);
}
