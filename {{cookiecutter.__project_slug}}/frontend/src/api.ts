// The stub to keep: the way to the API, its errors as types, and why a request got no answer.

import axios, { AxiosError, type AxiosRequestConfig, type AxiosResponse, type CreateAxiosDefaults } from "axios";

/** The API's address: VITE_API_URL of the environment or of the project's .env; empty means the page's own origin. */
export const API_URL: string = import.meta.env.VITE_API_URL ?? "http://localhost:8000";

/** The body of every error (RFC 9457); `errors` holds sentences by place and field (422). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  errors?: Record<string, Record<string, string[]>>;
}

/** The API answered, with an error. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;

  constructor(
    readonly problem: Problem,
    readonly headers: AxiosResponse["headers"],
  ) {
    super(problem.detail ?? problem.title);
    this.status = problem.status;
  }

  /** Seconds to wait before the next try (429), where the policy of the route exposes Retry-After. */
  get retryAfter(): number | undefined {
    return Number.parseInt(this.headers["retry-after"], 10) || undefined;
  }

  /** What is wrong with each field (422), wherever it stood. */
  get fields(): Record<string, string> {
    const entries = Object.values(this.problem.errors ?? {}).flatMap(Object.entries);
    return Object.fromEntries(entries.map(([name, sentences]) => [name, [sentences].flat().join(" ")]));
  }
}

type Reason = "no server" | "mixed content" | "mixed names" | "CORS";

/** No answer that the page may read: the message says what is known, `advice` what to do, the likeliest first. */
export class BlockedError extends Error {
  override name = "BlockedError";

  constructor(
    readonly reason: Reason,
    message: string,
    readonly advice: string[],
  ) {
    super(message);
  }
}

const isLoopback = ({ hostname }: URL) => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);

/** Make a client: cookies go along, and a request fails with an ApiError or a BlockedError. */
export function createApi(options: CreateAxiosDefaults = {}) {
  const client = axios.create({ baseURL: API_URL, withCredentials: true, ...options });
  client.interceptors.response.use(undefined, async (error: AxiosError) => {
    if (error.response) throw new ApiError(problemOf(error.response), error.response.headers);
    throw error.code === AxiosError.ERR_NETWORK ? await explain(error) : error;
  });
  return client;
}

export const api = createApi();

/** Tell why a request got no answer. To axios a refusal and a dead server are the same, so knock at the server again. */
export async function explain(error: AxiosError): Promise<BlockedError> {
  const config: AxiosRequestConfig = error.config ?? {};
  const page = new URL(location.href);
  const target = new URL(axios.getUri(config), page);
  const method = (config.method ?? "get").toUpperCase();
  const blocked = (reason: Reason, known: string, ...advice: string[]) =>
    new BlockedError(reason, `${method} ${target.href} from a page of ${page.origin}: ${known}`, advice);

  if (page.protocol === "https:" && target.protocol === "http:" && !isLoopback(target)) {
    const cure = "Serve the API over https too, and set VITE_API_URL to that address. No CORS header helps here.";
    return blocked("mixed content", "never sent, because a page that came by https may not call http.", cure);
  }
  if (!(await isRunning(target))) {
    const start =
      "Start the API: `uv run dev.py` in the project's folder. If it ends by itself, its last lines say why.";
    const move = "If it runs at another address, set VITE_API_URL in .env to that address and restart Vite.";
    const permit = "A page on the internet may call localhost only if the visitor permits it; no header helps.";
    const advice = isLoopback(page) ? [start, move] : [start, move, permit];
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

function problemOf({ status, statusText, data }: AxiosResponse): Problem {
  if (typeof data?.title === "string") return { ...data, status };
  return { type: "about:blank", title: statusText || `HTTP ${status}`, status }; // a proxy's HTML, for example
}

// a page may not read an answer without CORS, but it learns that there is one (Fetch: opaque filtered response)
function isRunning({ origin }: URL): Promise<boolean> {
  const unread = { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(3000) } as const;
  return fetch(`${origin}/health/live`, unread).then(Boolean, () => false);
}
