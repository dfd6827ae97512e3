// The API client and its typed errors, for browsers and for Node. It needs explain.ts.

import axios, { type AxiosError, type AxiosProxyConfig, type AxiosResponse, type CreateAxiosDefaults } from "axios";
import { explain, hasNoResponse } from "./explain.js"; // .js: Node without a bundler needs the compiled name

/** The API's address: VITE_API_URL from the environment or the project's .env. Empty means the front end's origin. */
export const API_URL: string = import.meta.env?.VITE_API_URL ?? "http://localhost:8000";

/** The body of every error (RFC 9457). `errors` has the messages of each field, by location (422). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  errors?: Record<string, Record<string, string[]>>;
}

/** The API responded with an error. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly problem: Problem;
  readonly headers: AxiosResponse["headers"];
  readonly status: number;

  constructor(problem: Problem, headers: AxiosResponse["headers"]) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.headers = headers;
    this.status = problem.status;
  }

  /** Seconds to wait before the next try (429), if the CORS policy of the route exposes Retry-After. */
  get retryAfter(): number | undefined {
    return Number.parseInt(this.headers["retry-after"], 10) || undefined;
  }

  /** The error message of each field (422), for all locations. */
  get fields(): Record<string, string> {
    const entries = Object.values(this.problem.errors ?? {}).flatMap(Object.entries);
    return Object.fromEntries(entries.map(([name, messages]) => [name, [messages].flat().join(" ")]));
  }
}

/** The options of axios. */
export interface ApiOptions extends CreateAxiosDefaults {
  /**
   * Node only: the forward proxy to use (a CONNECT tunnel for https). A browser ignores this option,
   * because a script may not choose the browser's proxy. To avoid CORS in a browser, use the reverse proxy
   * of vite.config.ts: set VITE_API_URL to an empty value.
   */
  proxy?: AxiosProxyConfig | false;
}

/** Create a client that sends cookies. Its requests fail with an ApiError or a BlockedError. */
export function createApi(options: ApiOptions = {}) {
  const client = axios.create({ baseURL: API_URL, withCredentials: true, ...options });
  client.interceptors.response.use(undefined, async (error: AxiosError) => {
    if (error.response) throw new ApiError(parseProblem(error.response), error.response.headers);
    throw error.config && hasNoResponse(error.code) ? await explain(error.config, error.message) : error;
  });
  return client;
}

export const api = createApi();

function parseProblem({ status, statusText, data }: AxiosResponse): Problem {
  if (typeof data?.title === "string") return { ...data, status };
  // a response of a proxy, for example HTML
  const detail = [502, 504].includes(status) ? "A proxy responded, but the API is down. Start the API." : undefined;
  return { type: "about:blank", title: statusText || `HTTP ${status}`, status, detail };
}
