// Why a request failed without a response: axios has one error for a blocked request and for a dead server.
// In development the API explains it step by step, as the browser decides (POST /api/dev/explain).

import axios, { AxiosHeaders, type InternalAxiosRequestConfig as Config } from "axios";

/** A request of a page. */
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
  answered_by: "app" | "proxy" | "other" | null;
  reason: string | null;
  fix: string | null;
  edits: { place: string; set: string }[];
  readable_headers: string[];
  cookies_sent: boolean | null;
  steps: { step: string; ok: boolean; detail: string }[];
}

export type Reason = "no server" | "mixed content" | "mixed names" | "redirect" | "CORS" | "unclear";

type Advice = [...string[], string]; // at least one

/** No response that the page may read: `message` says why, `advice` what to do, the likeliest first. */
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

  /** The likeliest fix. */
  get fix(): string {
    return this.advice[0];
  }

  /** The decisions of the browser, up to the failed one. Empty without an explanation by the API. */
  get steps(): Explanation["steps"] {
    return this.explanation?.steps ?? [];
  }
}

const START = "Start the API: `uv run dev.py` in the project's folder. If it stops, read its last lines.";
const UNCLEAR: Advice = [
  "Send it again: the API may have been restarting.",
  "Look in the API's terminal for the request. If it is missing, a proxy or a browser extension stopped it.",
  "Look at the request in the network tab of the browser's developer tools.",
];
const isLoopback = ({ hostname }: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
/** Return whether an address is of the page's own origin, where CORS does not apply. */
export const isSameOrigin = (address: string) => new URL(address, location.href).origin === location.origin;
/** Return the address of the API with the path under which a proxy may serve it. */
const getRoot = (url: string) => /^(\w+:\/\/[^/]+[^?#]*?)\/(api|health)\//.exec(url)?.[1] ?? new URL(url).origin;
/** Return the address of MDN's page about a reason. */
export const mdn = (reason: string) => `https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/${reason}`;

/** Return whether a code of axios means that there was no response: browsers have one such code, Node many. */
export function hasNoResponse(code = ""): boolean {
  return /^(ERR_NETWORK|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code);
}

/** Build the error of a request of axios without a response, and write it to the browser's console. */
export async function explain(config: Config, message: string): Promise<BlockedError> {
  if (typeof location === "undefined") return explainInNode(config, message);
  const error = await explainOnPage(config);
  const more = error.explanation?.reason ? [mdn(error.explanation.reason)] : [];
  console.error([error.message, ...error.advice, ...more].join("\n→ "));
  return error;
}

// Node has no CORS: without a response, the server is down
function explainInNode(config: Config, message: string): BlockedError {
  const { method = "get", proxy } = config;
  const server = proxy ? `the proxy ${proxy.host}:${proxy.port}` : new URL(axios.getUri(config)).origin;
  const problem = `${method.toUpperCase()} ${axios.getUri(config)}: no server responds at ${server} (${message}).`;
  const fix = "Start the proxy, correct `proxy: { host, port }`, or leave it out.";
  return new BlockedError("no server", problem, [proxy ? fix : START]);
}

async function explainOnPage(config: Config): Promise<BlockedError> {
  const page = new URL(location.href);
  const target = new URL(axios.getUri(config), page);
  const method = (config.method ?? "get").toUpperCase(); // as axios sends it; fetch would send `patch` as it is
  const request = `${method} ${target.href} from a page of ${page.origin}`;

  if (page.protocol === "https:" && target.protocol === "http:" && !isLoopback(target)) {
    const problem = `${request}: not sent, because an https page may not call http.`;
    const fix = "Serve the API over https too, and set VITE_API_URL to that address. No CORS header helps here.";
    return new BlockedError("mixed content", problem, [fix]);
  }
  const given = Object.entries(AxiosHeaders.from(config.headers).toJSON(true));
  // axios leaves out characters beyond Latin-1, which no browser sends
  const headers = given.map(([name, value]): [string, string] => [name, `${value}`.replace(/[^\0-\xff]/g, "")]);
  const credentials = config.withCredentials ?? false;
  const question = { method, url: target.href, origin: page.origin, headers, credentials };
  const explanation = import.meta.env.DEV ? await askWhy(question) : undefined;
  if (explanation && !explanation.allowed) return explainedError(request, explanation);
  if (!explanation && !(await isRunning(target.href))) return unreachableError(request, page, target);
  if (/^(GET|HEAD)$/.test(method) && (await isRedirected(target, { method, headers, credentials }))) {
    const problem = `${request}: redirected to an address that does not allow this page.`;
    const advice: Advice = [
      "If it is a sign-in page, open it by location.href: a sign-in is a navigation, not a request.",
      "Otherwise call that address. The network tab of the developer tools shows it as Location.",
    ];
    return new BlockedError("redirect", problem, advice, explanation);
  }
  const { size } = await new Response(config.data).blob();
  const tooLarge = `The body has ${size} bytes. A proxy may refuse it by a 413 that no page can read: raise its limit (nginx: client_max_body_size).`;
  const causes = size > 1e6 ? [tooLarge] : [];
  if (explanation) {
    const problem = `${request}: the API's policy allows it, but there was no response.`;
    return new BlockedError("unclear", problem, [...causes, ...UNCLEAR], explanation);
  }
  const names = mixedNames(page.href, target.href);
  if (names) return new BlockedError("mixed names", `${request}: blocked. ${names.message}`, [`Open ${names.open}`]);
  const problem = `${request}: blocked by the browser. ${target.origin} is running, but does not allow this page to read the response.`;
  const cookies = "A policy for any origin (*) refuses cookies. Set withCredentials to false.";
  return new BlockedError("CORS", problem, [
    ...causes,
    "Read the last lines of the API's terminal: they show the request, and why a preflight was refused.",
    `Set FRONTEND_ORIGINS in .env to exactly ${page.origin}, without a slash at the end. Restart the API.`,
    `The route may have no CORS policy, or one that does not allow ${method} or a header of the request.`,
    ...(credentials ? [cookies] : []),
    "The response may not be the API's: a proxy in front of it can respond, and on a Mac AirPlay does on port 5000.",
  ]);
}

/** Ask the API to explain a request. Returns undefined if it is not running in development. */
export async function askWhy(request: PageRequest, answered = false): Promise<Explanation | undefined> {
  const headers = { "Content-Type": "application/json" };
  const options = {
    method: "POST",
    headers,
    body: JSON.stringify({ ...request, answered }),
    credentials: "omit",
  } as const;
  const response = fetch(`${getRoot(request.url)}/api/dev/explain`, { ...options, signal: AbortSignal.timeout(5000) });
  return response.then((found) => (found.ok ? found.json() : undefined)).catch(() => undefined);
}

function explainedError(request: string, explanation: Explanation): BlockedError {
  const last = explanation.steps.filter(({ ok }) => !ok).pop();
  const problem = `${request}: blocked by the browser at "${last?.step}". ${last?.detail}`;
  return new BlockedError("CORS", problem, [`Fix: ${explanation.fix}`], explanation);
}

function unreachableError(request: string, page: URL, { hostname, origin, port }: URL): BlockedError {
  const problem = `${request}: no server responds at ${origin}.`;
  if (!/[.:]|^localhost$/.test(hostname)) {
    const cause = `${problem} Only containers know the name ${hostname}, and the browser runs outside of them.`;
    const fix = `Set VITE_API_URL=http://localhost:${port || 80} in .env, with the port that compose publishes. Restart Vite.`;
    return new BlockedError("no server", cause, [fix]);
  }
  const move = "If it runs at another address, set VITE_API_URL in .env to that address and restart Vite.";
  if (isLoopback(page) || !isLoopback(new URL(origin))) return new BlockedError("no server", problem, [START, move]);
  return new BlockedError("no server", `${problem} On each device, ${hostname} is that device.`, [
    "For a page on a phone, set FRONTEND_ORIGINS=none and VITE_API_URL= in .env, so that Vite passes requests on. Restart dev.py.",
    "For a page on the internet, set VITE_API_URL to the API's address there, and build the page again.",
    "Such a page may call localhost only if the visitor permits it. No header helps here.",
  ]);
}

/** Return a warning, and the address to open instead, if page and API use two names of one machine. */
export function mixedNames(page: string, api: string): { message: string; open: string } | undefined {
  const [from, to] = [new URL(page), new URL(api, page)];
  if (from.hostname === to.hostname || !isLoopback(from) || !isLoopback(to)) return undefined;
  const names = `The page is on ${from.hostname}, the API on ${to.hostname}: two sites for a browser.`;
  const effect = "Signing in would be 200, and the next request 401, because the browser does not send the cookie.";
  const atLocalhost = `http://localhost:${to.port}`;
  const fix = to.hostname === "localhost" ? "" : `Set VITE_API_URL=${atLocalhost} in .env, restart Vite. `;
  from.hostname = "localhost";
  return { message: `${names} ${effect} ${fix}Use the name localhost for both.`, open: from.href };
}

// without CORS a page may not read the response, but it learns that there is one (Fetch: opaque filtered response)
function isRunning(url: string): Promise<boolean> {
  const unread = { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(3000) } as const;
  return fetch(`${getRoot(url)}/health/live`, unread).then(Boolean, () => false);
}

// a redirect that is not followed has a type of its own (Fetch: opaque-redirect filtered response)
function isRedirected(url: URL, { credentials, ...request }: Pick<PageRequest, "method" | "headers" | "credentials">) {
  const options = { ...request, redirect: "manual", credentials: credentials ? "include" : "omit" } as const;
  return fetch(url, options).then(
    ({ type }) => type === "opaqueredirect",
    () => false,
  );
}
