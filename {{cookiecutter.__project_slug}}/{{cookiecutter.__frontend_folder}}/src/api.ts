// The client of the API, and its errors as types, for browsers and for Node. Keep this file and explain.ts.

import axios, { type AxiosError, type AxiosProxyConfig, type AxiosResponse, type CreateAxiosDefaults } from "axios";
import { explain, hasNoResponse } from "./explain.js"; // as compiled: each bundler finds it, and Node without one

/** The API's address: VITE_API_URL of the environment or of the project's .env; empty means the page's own origin. */
export const API_URL: string = import.meta.env?.VITE_API_URL ?? "http://localhost:8000";

/** The body of every error (RFC 9457); `errors` holds sentences by place and field (422). */
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

/** The options of axios. */
export interface ApiOptions extends CreateAxiosDefaults {
  /**
   * Node only: send requests through a forward proxy, by a tunnel (CONNECT) to https addresses. A browser ignores
   * it, because no script may choose its proxy. A page needs no CORS with a reverse proxy on its own origin:
   * that of vite.config.ts, with an empty VITE_API_URL.
   */
  proxy?: AxiosProxyConfig | false;
}

/** Make a client that sends cookies, and whose requests fail with an ApiError or a BlockedError. */
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
  // the response of a proxy, for example in HTML
  const detail = [502, 504].includes(status) ? "A proxy responded, but the API is down. Start the API." : undefined;
  return { type: "about:blank", title: statusText || `HTTP ${status}`, status, detail };
}
