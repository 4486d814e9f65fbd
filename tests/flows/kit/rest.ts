import { type ErrorBody, ErrorResponse } from "@lescopains/protocol/errors";
import type { Route } from "@lescopains/protocol/rest";
import { type RouteAnswer, type RouteName, ROUTES } from "@lescopains/protocol/routes";
import * as v from "valibot";

type Given<N extends RouteName, K extends "params" | "query" | "body"> = (typeof ROUTES)[N] extends {
  readonly [P in K]: infer S extends v.GenericSchema;
}
  ? v.InferInput<S>
  : undefined;

export interface Asked<N extends RouteName> {
  /** Access token of who asks. */
  readonly token?: string;
  readonly params?: Given<N, "params">;
  readonly query?: Given<N, "query">;
  readonly body?: Given<N, "body">;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answered<N extends RouteName> = {
  readonly status: number;
  readonly headers: Headers;
} & ({ readonly ok: true; readonly value: RouteAnswer<N> } | { readonly ok: false; readonly error: ErrorBody });

/** A request that was expected to be granted was refused. */
export class RefusedError extends Error {
  readonly body: ErrorBody;
  constructor(what: string, body: ErrorBody) {
    super(`${what} was refused: ${body.code} (${body.message})`);
    this.name = "RefusedError";
    this.body = body;
  }
}

/** The path of a route with its parameters filled in. */
function pathOf(route: Route, params: Readonly<Record<string, unknown>> = {}): string {
  return route.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

/** Sends one request of the contract. The answer is parsed with the contract's own schema: what does not fit is an exception. */
export async function call<N extends RouteName>(
  url: string,
  name: N,
  { token, params, query, body, headers }: Asked<N> = {},
): Promise<Answered<N>> {
  const route: Route = ROUTES[name];
  const search = new URLSearchParams(query as Record<string, string> | undefined).toString();
  const path = pathOf(route, params as Record<string, unknown> | undefined);
  const response = await fetch(`${url}${path}${search === "" ? "" : `?${search}`}`, {
    method: route.method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const { status } = response;
  if (status >= 400) {
    return { status, headers: response.headers, ok: false, error: v.parse(ErrorResponse, JSON.parse(text)).error };
  }
  if (status !== route.status && status !== route.foundStatus)
    throw new Error(`${name} answered ${status}, the contract says ${route.status}`);
  const value = route.answer === undefined ? undefined : v.parse(route.answer, JSON.parse(text));
  return { status, headers: response.headers, ok: true, value: value as RouteAnswer<N> };
}

/** As `call`, for a request that must be granted: its value, or a `RefusedError`. */
export async function granted<N extends RouteName>(
  url: string,
  name: N,
  asked: Asked<N> = {},
): Promise<RouteAnswer<N>> {
  const answer = await call(url, name, asked);
  if (!answer.ok) throw new RefusedError(name, answer.error);
  return answer.value;
}
