import { ErrorResponse } from "@lescopains/protocol/errors";
import type { REST, Route } from "@lescopains/protocol/rest";
import type { PartOf } from "@lescopains/protocol/routes";
import * as v from "valibot";
import { ApiError, unavailable } from "./api-error.ts";
import type { Access } from "./access.ts";

type Table = Readonly<Record<string, Route>>;
type Schema = v.GenericSchema;
type BodyOf<T extends Table, N extends keyof T> = T[N] extends { readonly body: infer S extends Schema }
  ? { readonly body: v.InferInput<S> }
  : { readonly body?: undefined };
type ParamsOf<T extends Table, N extends keyof T> = T[N] extends { readonly params: Schema }
  ? { readonly params: PartOf<T[N], "params"> }
  : { readonly params?: undefined };
type QueryOf<T extends Table, N extends keyof T> = T[N] extends { readonly query: infer S extends Schema }
  ? { readonly query?: { readonly [K in keyof v.InferInput<S>]?: string | number | undefined } }
  : { readonly query?: undefined };
type HeadersOf<T extends Table, N extends keyof T> = T[N] extends { readonly headers: infer S extends Schema }
  ? { readonly headers: v.InferInput<S> }
  : { readonly headers?: undefined };

/** What a route takes: `params` fill its path, `query`, `headers` and `body` are as its schemas accept them. */
type ArgsOf<T extends Table, N extends keyof T> = ParamsOf<T, N> & QueryOf<T, N> & HeadersOf<T, N> & BodyOf<T, N>;

type Rest<T extends Table, N extends keyof T> =
  Partial<ArgsOf<T, N>> extends ArgsOf<T, N> ? [args?: ArgsOf<T, N>] : [args: ArgsOf<T, N>];

/** A table of routes as one typed function. */
export interface Calls<T extends Table> {
  /**
   * Calls a route by its name in the contract.
   * @throws ApiError the server's refusal, or `unavailable` when it could not be asked.
   */
  readonly call: <N extends keyof T>(name: N, ...rest: Rest<T, N>) => Promise<PartOf<T[N], "answer">>;
}

/** The REST contract, save what only operators ask. */
export type Api = Calls<typeof REST>;

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

/** One request of the contract, its answer parsed. Used by `createCalls`, and for the refresh itself. */
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

/** What a client of the contract needs. */
export interface CallsDeps {
  readonly fetch: Fetch;
  readonly access: Access;
  /** Resolves after so many milliseconds, or somewhat later, so that not all who wait come back at once. */
  readonly pause: (ms: number) => Promise<void>;
}

/** "Too many requests" is waited out this often, when it takes no longer than this, in milliseconds; longer waits are told to the person. */
const PATIENT_TRIES = 3;
const PATIENCE_MS = 5_000;

/**
 * The typed client of a table of the REST contract. A token that has ended is renewed once and the call repeated; a refusal for the number of requests,
 * which means that nothing was done, is waited out if that is short.
 */
export function createCalls<T extends Table>({ fetch, access, pause }: CallsDeps, table: T): Calls<T> {
  async function patient(route: Route, parts: Parts, token?: string): Promise<unknown> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await request(fetch, route, parts, token);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "rate_limited" || tries > PATIENT_TRIES) throw error;
        if (error.retryAfterMs === undefined || error.retryAfterMs > PATIENCE_MS) throw error;
        await pause(error.retryAfterMs);
      }
    }
  }
  return {
    async call<N extends keyof T>(name: N, ...[args]: Rest<T, N>): Promise<PartOf<T[N], "answer">> {
      type Answer = PartOf<T[N], "answer">;
      const route: Route = table[name] as Route;
      const parts = (args ?? {}) as Parts;
      if (route.auth !== "user" && route.auth !== "operator") return (await patient(route, parts)) as Answer;
      const token = await access.token();
      try {
        return (await patient(route, parts, token)) as Answer;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "session_revoked") access.end();
        if (error.code !== "token_expired" && error.code !== "unauthenticated") throw error;
        return (await patient(route, parts, await access.renew(token))) as Answer;
      }
    },
  };
}
