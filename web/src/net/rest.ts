import { ErrorResponse } from "@lescopains/protocol/errors";
import { REST, type Route, type RouteAnswer, type RouteName, type RouteParams } from "@lescopains/protocol/rest";
import * as v from "valibot";
import { ApiError, unavailable } from "./api-error.ts";
import type { Access } from "./access.ts";

type Table = typeof REST;
type Schema = v.GenericSchema;
type BodyOf<N extends RouteName> = Table[N] extends { readonly body: infer S extends Schema }
  ? { readonly body: v.InferInput<S> }
  : { readonly body?: undefined };
type ParamsOf<N extends RouteName> = Table[N] extends { readonly params: Schema }
  ? { readonly params: RouteParams<N> }
  : { readonly params?: undefined };
type QueryOf<N extends RouteName> = Table[N] extends { readonly query: infer S extends Schema }
  ? { readonly query?: { readonly [K in keyof v.InferInput<S>]?: string | number | undefined } }
  : { readonly query?: undefined };
type HeadersOf<N extends RouteName> = Table[N] extends { readonly headers: infer S extends Schema }
  ? { readonly headers: v.InferInput<S> }
  : { readonly headers?: undefined };

/** What a route takes: `params` fill its path, `query`, `headers` and `body` are as its schemas accept them. */
export type CallArgs<N extends RouteName> = ParamsOf<N> & QueryOf<N> & HeadersOf<N> & BodyOf<N>;
type Rest<N extends RouteName> = Partial<CallArgs<N>> extends CallArgs<N> ? [args?: CallArgs<N>] : [args: CallArgs<N>];

/** The REST contract as one typed function. */
export interface Api {
  /**
   * Calls a route by its name in the contract.
   * @throws ApiError the server's refusal, or `unavailable` when it could not be asked.
   */
  readonly call: <N extends RouteName>(name: N, ...rest: Rest<N>) => Promise<RouteAnswer<N>>;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How long an answer may take before it counts as none, in milliseconds. */
const TIMEOUT_MS = 20_000;

interface Parts {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
}

/** The address of a route with its parameters filled in. */
function address(route: Route, parts: Parts): string {
  const path = route.path.replace(/:([a-zA-Z]+)/g, (_, name: string) => encodeURIComponent(parts.params?.[name] ?? ""));
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parts.query ?? {})) {
    if (value !== undefined) query.set(key, String(value));
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The refusal that an answer of 400 or above tells; a proxy's own page has no code, so its status speaks. */
async function refusal(response: Response): Promise<ApiError> {
  const parsed = v.safeParse(ErrorResponse, await response.json().catch(() => undefined));
  if (parsed.success) return new ApiError(parsed.output.error);
  const seconds = Number(response.headers.get("retry-after"));
  const code = response.status === 429 ? "rate_limited" : response.status < 500 ? "invalid_request" : "unavailable";
  return new ApiError({
    code,
    message: `status ${response.status} without a refusal of the contract`,
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: Math.ceil(seconds * 1_000) } : {}),
  });
}

/** One request of the contract, its answer parsed. Used by `createApi`, and for the refresh itself. */
export async function request(fetch: Fetch, route: Route, parts: Parts, accessToken?: string): Promise<unknown> {
  const headers: Record<string, string> = { accept: "application/json", ...parts.headers };
  if (accessToken !== undefined) headers["authorization"] = `Bearer ${accessToken}`;
  if (parts.body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(address(route, parts), {
      method: route.method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      // The cookie that answers a refresh must be stored even if the tab closes meanwhile, so nothing cuts it short.
      ...(route.auth === "cookie" ? { keepalive: true } : { signal: AbortSignal.timeout(TIMEOUT_MS) }),
      ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) }),
    });
  } catch (error) {
    throw unavailable("the server could not be reached", error);
  }
  if (response.status >= 400) throw await refusal(response);
  if (route.answer === undefined) return undefined;
  const parsed = v.safeParse(route.answer, await response.json().catch(() => undefined));
  if (!parsed.success) throw unavailable("the server's answer is not the contract's", parsed.issues);
  return parsed.output;
}

/** The typed client of the REST contract. A token that has ended is renewed once and the call repeated. */
export function createApi(fetch: Fetch, access: Access): Api {
  return {
    async call<N extends RouteName>(name: N, ...[args]: Rest<N>): Promise<RouteAnswer<N>> {
      const route: Route = REST[name];
      const parts = (args ?? {}) as Parts;
      if (route.auth !== "user" && route.auth !== "operator")
        return (await request(fetch, route, parts)) as RouteAnswer<N>;
      const token = await access.token();
      try {
        return (await request(fetch, route, parts, token)) as RouteAnswer<N>;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "session_revoked") access.end();
        if (error.code !== "token_expired" && error.code !== "unauthenticated") throw error;
        return (await request(fetch, route, parts, await access.renew(token))) as RouteAnswer<N>;
      }
    },
  };
}
