// Explain why a request got no response. axios has the same error for a blocked request and for a stopped server.
// In development, the API explains the browser's decision step by step (POST /api/dev/explain).

import axios, { AxiosHeaders, type InternalAxiosRequestConfig as Config } from "axios";

/** A request that a browser sends for a front end. */
export interface BrowserRequest {
  method: string;
  url: string;
  origin: string;
  headers: [name: string, value: string][];
  credentials: boolean;
}

/** What the browser decides about a request. `reason` is the name of the error on MDN. */
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

export type Reason = "no server" | "mixed content" | "two host names" | "redirect" | "CORS" | "unknown";

type Advice = [...string[], string]; // at least one

/** The front end got no response. `message` says why. `advice` says what to do, the most likely fix first. */
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

  /** The most likely fix. */
  get fix(): string {
    return this.advice[0];
  }

  /** The browser's decisions, up to the one that failed. Empty if the API did not explain the request. */
  get steps(): Explanation["steps"] {
    return this.explanation?.steps ?? [];
  }
}

const START = "Start the API: `uv run dev.py` in the project's folder. If it stops, read its last lines.";
const UNKNOWN: Advice = [
  "Send the request again. Perhaps the API was restarting.",
  "Look in the API's terminal for the request. If it is missing, a proxy or a browser extension stopped it.",
  "Look at the request in the network tab of the browser's developer tools.",
];
const isLoopback = ({ hostname }: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
/** Return whether an address has the front end's origin, where CORS does not apply. */
export const isSameOrigin = (address: string) => new URL(address, location.href).origin === location.origin;
/** Return the API's address, with the path that a reverse proxy may have added. */
const getRoot = (url: string) => /^(\w+:\/\/[^/]+[^?#]*?)\/(api|health)\//.exec(url)?.[1] ?? new URL(url).origin;
/** Return the URL on MDN that explains a reason. */
export const getMdnUrl = (reason: string) => `https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/${reason}`;

/** Return whether axios got no response. Browsers have one error code for this, Node has many. */
export function hasNoResponse(code = ""): boolean {
  return /^(ERR_NETWORK|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code);
}

/** Build the error for an axios request without a response, and write it to the browser's console. */
export async function explain(config: Config, message: string): Promise<BlockedError> {
  if (typeof location === "undefined") return explainInNode(config, message);
  const error = await explainInBrowser(config);
  const more = error.explanation?.reason ? [getMdnUrl(error.explanation.reason)] : [];
  console.error([error.message, ...error.advice, ...more].join("\n→ "));
  return error;
}

// Node has no CORS, so without a response the server is down
function explainInNode(config: Config, message: string): BlockedError {
  const { method = "get", proxy } = config;
  const server = proxy ? `the proxy ${proxy.host}:${proxy.port}` : new URL(axios.getUri(config)).origin;
  const problem = `${method.toUpperCase()} ${axios.getUri(config)}: no server responds at ${server} (${message}).`;
  const fix = "Start the proxy, correct `proxy: { host, port }`, or remove that option.";
  return new BlockedError("no server", problem, [proxy ? fix : START]);
}

async function explainInBrowser(config: Config): Promise<BlockedError> {
  const page = new URL(location.href);
  const target = new URL(axios.getUri(config), page);
  const method = (config.method ?? "get").toUpperCase(); // axios sends PATCH for `patch`, fetch would send `patch`
  const request = `${method} ${target.href} from ${page.origin}`;

  if (page.protocol === "https:" && target.protocol === "http:" && !isLoopback(target)) {
    const problem = `${request}: not sent, because an https page may not call http.`;
    const fix = "Serve the API over https too, and set VITE_API_URL to that address. No CORS header helps here.";
    return new BlockedError("mixed content", problem, [fix]);
  }
  const entries = Object.entries(AxiosHeaders.from(config.headers).toJSON(true));
  // axios removes characters beyond Latin-1, because a browser cannot send them
  const headers = entries.map(([name, value]): [string, string] => [name, `${value}`.replace(/[^\0-\xff]/g, "")]);
  const credentials = config.withCredentials ?? false;
  const described = { method, url: target.href, origin: page.origin, headers, credentials };
  const explanation = import.meta.env.DEV ? await requestExplanation(described) : undefined;
  if (explanation && !explanation.allowed) return createExplainedError(request, explanation);
  if (!explanation && !(await isRunning(target.href))) return createUnreachableError(request, page, target);
  if (/^(GET|HEAD)$/.test(method) && (await isRedirected(target, { method, headers, credentials }))) {
    const problem = `${request}: redirected to a URL that does not allow this front end.`;
    const advice: Advice = [
      "If the URL is a sign-in page, open it with location.href: a sign-in is a navigation, not a request.",
      "Otherwise, call that URL. It is the header Location in the network tab of the developer tools.",
    ];
    return new BlockedError("redirect", problem, advice, explanation);
  }
  const { size } = await new Response(config.data).blob();
  const tooLarge = `The body has ${size} bytes. A proxy may refuse it with a 413 without CORS headers. Raise its limit (nginx: client_max_body_size).`;
  const causes = size > 1e6 ? [tooLarge] : [];
  if (explanation) {
    const problem = `${request}: the API's CORS policy allows it, but there was no response.`;
    return new BlockedError("unknown", problem, [...causes, ...UNKNOWN], explanation);
  }
  const hosts = checkHosts(page.href, target.href);
  if (hosts) return new BlockedError("two host names", `${request}: blocked. ${hosts.message}`, [`Open ${hosts.open}`]);
  const problem = `${request}: blocked by the browser. ${target.origin} is running, but does not allow this front end to read the response.`;
  const cookies = "If the policy allows every origin (*), set withCredentials to false: * does not allow cookies.";
  return new BlockedError("CORS", problem, [
    ...causes,
    "Read the last lines in the API's terminal. They show the request, and why a preflight failed.",
    `Set FRONTEND_ORIGINS in .env to exactly ${page.origin}, without a slash at the end. Restart the API.`,
    `Perhaps the route has no CORS policy, or one that does not allow ${method} or a header of the request.`,
    ...(credentials ? [cookies] : []),
    "Perhaps the response is not from the API. A reverse proxy can respond instead. On a Mac, AirPlay uses port 5000.",
  ]);
}

/** Ask the API to explain a request. Returns undefined if the API is not running in development. */
export async function requestExplanation(request: BrowserRequest, answered = false): Promise<Explanation | undefined> {
  const headers = { "Content-Type": "application/json" };
  const options = {
    method: "POST",
    headers,
    body: JSON.stringify({ ...request, answered }),
    credentials: "omit",
  } as const;
  const response = fetch(`${getRoot(request.url)}/api/dev/explain`, { ...options, signal: AbortSignal.timeout(5000) });
  return response.then((result) => (result.ok ? result.json() : undefined)).catch(() => undefined);
}

function createExplainedError(request: string, explanation: Explanation): BlockedError {
  const last = explanation.steps.filter(({ ok }) => !ok).pop();
  const problem = `${request}: blocked by the browser at "${last?.step}". ${last?.detail}`;
  return new BlockedError("CORS", problem, [`Fix: ${explanation.fix}`], explanation);
}

function createUnreachableError(request: string, page: URL, { hostname, origin, port }: URL): BlockedError {
  const problem = `${request}: no server responds at ${origin}.`;
  if (!/[.:]|^localhost$/.test(hostname)) {
    const cause = `${problem} Only containers know the name ${hostname}, and the browser runs outside them.`;
    const fix = `Set VITE_API_URL=http://localhost:${port || 80} in .env, with the port that compose publishes. Restart Vite.`;
    return new BlockedError("no server", cause, [fix]);
  }
  const move = "If it runs at another address, set VITE_API_URL in .env to that address and restart Vite.";
  if (isLoopback(page) || !isLoopback(new URL(origin))) return new BlockedError("no server", problem, [START, move]);
  return new BlockedError("no server", `${problem} On each device, ${hostname} is that device.`, [
    "On a phone, set FRONTEND_ORIGINS=none and VITE_API_URL= in .env. Restart dev.py. Then Vite passes requests to the API.",
    "For a public front end, set VITE_API_URL to the API's public address, and build the front end again.",
    "A public front end may call localhost only if the visitor permits it (Local Network Access). No CORS header helps here.",
  ]);
}

/** Return a warning and the URL to open, if front end and API use two names of one machine. */
export function checkHosts(page: string, api: string): { message: string; open: string } | undefined {
  const [from, to] = [new URL(page), new URL(api, page)];
  if (from.hostname === to.hostname || !isLoopback(from) || !isLoopback(to)) return undefined;
  const names = `The front end is on ${from.hostname}, the API on ${to.hostname}. For a browser, these are two sites.`;
  const effect = "After a sign-in, the next request is 401, because the browser does not send the session cookie.";
  const atLocalhost = `http://localhost:${to.port}`;
  const fix = to.hostname === "localhost" ? "" : `Set VITE_API_URL=${atLocalhost} in .env, restart Vite. `;
  from.hostname = "localhost";
  return { message: `${names} ${effect} ${fix}Use the name localhost for both.`, open: from.href };
}

// mode no-cors: the response is not readable, but it shows that a server runs (Fetch: opaque filtered response)
function isRunning(url: string): Promise<boolean> {
  const options = { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(3000) } as const;
  return fetch(`${getRoot(url)}/health/live`, options).then(Boolean, () => false);
}

// a redirect that is not followed has its own type (Fetch: opaque-redirect filtered response)
function isRedirected(url: URL, { credentials, ...request }: Omit<BrowserRequest, "url" | "origin">) {
  const options = { ...request, redirect: "manual", credentials: credentials ? "include" : "omit" } as const;
  return fetch(url, options).then(
    ({ type }) => type === "opaqueredirect",
    () => false,
  );
}
