// Why a request got no answer: to axios, a refusal by the browser and a dead server are one and the same.
// In development the API itself explains it, step by step as the browser decides (POST /api/dev/explain).

import axios, { AxiosHeaders, type InternalAxiosRequestConfig as Config } from "axios";

/** A request as a page asks for it. */
export interface PageRequest {
  method: string;
  url: string;
  origin: string;
  headers: [name: string, value: string][];
  credentials: boolean;
}

/** What the browser does with it; `reason` is the name of MDN's page about the failure. */
export interface Explanation {
  allowed: boolean;
  preflighted: boolean;
  status: number | null;
  reason: string | null;
  cure: string | null;
  readable_headers: string[];
  cookies_sent: boolean | null;
  steps: { step: string; ok: boolean; detail: string }[];
}

export type Reason = "no server" | "mixed content" | "mixed names" | "CORS" | "unclear";

type Advice = [cure: string, ...more: string[]];

/** No answer that the page may read: `message` is the verdict, `advice` says what to do, the likeliest first. */
export class BlockedError extends Error {
  override name = "BlockedError";
  readonly reason: Reason;
  readonly advice: Advice;
  readonly explanation?: Explanation;

  constructor(reason: Reason, message: string, advice: Advice, explanation?: Explanation) {
    super(message);
    this.reason = reason;
    this.advice = advice;
    this.explanation = explanation;
  }

  /** The likeliest cure. */
  get cure(): string {
    return this.advice[0];
  }

  /** What the browser decided, up to the step at which it stopped; empty where no API could tell. */
  get steps(): Explanation["steps"] {
    return this.explanation?.steps ?? [];
  }
}

const START = "Start the API: `uv run dev.py` in the project's folder. If it ends by itself, its last lines say why.";
const isLoopback = ({ hostname }: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
/** Tell whether an address is of the page's own origin, where CORS plays no part. */
export const isSameOrigin = (address: string) => new URL(address, location.href).origin === location.origin;
/** Return where MDN tells more about the reason of an explanation. */
export const mdn = (reason: string) => `https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/${reason}`;

/** Tell a request that nobody answered from one that was cancelled, say: a browser has one code for it, Node many. */
export function gotNoAnswer(code = ""): boolean {
  return /^(ERR_NETWORK|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code);
}

/** Tell why a request of axios got no answer, and what to do: to who catches the error, and in the browser's console. */
export async function explain(config: Config, said: string): Promise<BlockedError> {
  if (typeof location === "undefined") return explainInNode(config, said);
  const error = await explainOnPage(config);
  const more = error.explanation?.reason ? [mdn(error.explanation.reason)] : [];
  console.error([error.message, ...error.advice, ...more].join("\n→ "));
  return error;
}

// outside of a browser there is no CORS: what gives no answer is not there
function explainInNode(config: Config, said: string): BlockedError {
  const { method = "get", proxy } = config;
  const silent = proxy ? `the proxy ${proxy.host}:${proxy.port}` : new URL(axios.getUri(config)).origin;
  const known = `${method.toUpperCase()} ${axios.getUri(config)}: nothing answers at ${silent} (${said}).`;
  const cure = "Start the proxy, correct `proxy: { host, port }`, or leave it out.";
  return new BlockedError("no server", known, [proxy ? cure : START]);
}

async function explainOnPage(config: Config): Promise<BlockedError> {
  const page = new URL(location.href);
  const target = new URL(axios.getUri(config), page);
  const method = (config.method ?? "get").toUpperCase(); // as axios sends it; fetch would send `patch` as it is
  const who = `${method} ${target.href} from a page of ${page.origin}`;

  if (page.protocol === "https:" && target.protocol === "http:" && !isLoopback(target)) {
    const known = `${who}: never sent, because a page that came by https may not call http.`;
    const cure = "Serve the API over https too, and set VITE_API_URL to that address. No CORS header helps here.";
    return new BlockedError("mixed content", known, [cure]);
  }
  const headers = Object.entries(AxiosHeaders.from(config.headers).toJSON(true)) as [string, string][];
  const credentials = config.withCredentials ?? false;
  const asked = { method, url: target.href, origin: page.origin, headers, credentials };
  const explanation = import.meta.env.DEV ? await askWhy(asked) : undefined;
  if (explanation) return verdict(who, explanation);

  if (!(await isRunning(target.origin))) {
    const move = "If it runs at another address, set VITE_API_URL in .env to that address and restart Vite.";
    const permit = "A page on the internet may call localhost only if the visitor permits it; no header helps.";
    const advice: Advice = isLoopback(page) ? [START, move] : [START, move, permit];
    return new BlockedError("no server", `${who}: nothing answers at ${target.origin}.`, advice);
  }
  const names = mixedNames(page.href, target.href);
  if (names) return new BlockedError("mixed names", `${who}: blocked. ${names.message}`, [`Open ${names.open}`]);
  const known = `${who}: blocked by the browser. ${target.origin} is running, but its answer does not let this page read it.`;
  const cookies = "It sends cookies, which a policy for any origin (*) refuses: set withCredentials to false.";
  return new BlockedError("CORS", known, [
    "Look at the API's terminal: its last lines show the request, and the reason if a preflight was refused.",
    `FRONTEND_ORIGINS in .env must have exactly ${page.origin}, with no slash at the end. Then restart the API.`,
    `The route may have no CORS policy, or one that does not allow ${method} or a header of the request.`,
    ...(credentials ? [cookies] : []),
    "It may not be the API that answered: a proxy in front of it can, and on a Mac AirPlay does on port 5000.",
  ]);
}

/** Ask the API to explain a request; undefined where it does not run, or not in development. */
export async function askWhy(asked: PageRequest): Promise<Explanation | undefined> {
  const { origin } = new URL(asked.url);
  const headers = { "Content-Type": "application/json" };
  const question = { method: "POST", headers, body: JSON.stringify(asked), credentials: "omit" } as const;
  const answer = fetch(`${origin}/api/dev/explain`, { ...question, signal: AbortSignal.timeout(5000) });
  return answer.then((found) => (found.ok ? found.json() : undefined)).catch(() => undefined);
}

function verdict(who: string, explanation: Explanation): BlockedError {
  if (explanation.allowed) {
    const advice: Advice = [
      "Send it again: the API may have been restarting.",
      "See in the API's terminal whether the request arrived. If not, a proxy or an extension of the browser stopped it.",
      "See what the network tab of the browser's developer tools says about it.",
    ];
    return new BlockedError("unclear", `${who}: the API's policy allows it, yet no answer came.`, advice, explanation);
  }
  const last = explanation.steps.findLast(({ ok }) => !ok);
  const known = `${who}: blocked by the browser at "${last?.step}". ${last?.detail}`;
  return new BlockedError("CORS", known, [`Cure: ${explanation.cure}`], explanation);
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
function isRunning(origin: string): Promise<boolean> {
  const unread = { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(3000) } as const;
  return fetch(`${origin}/health/live`, unread).then(Boolean, () => false);
}
