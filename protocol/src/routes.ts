import type * as v from "valibot";
import { OPERATOR_REST } from "./operator-rest.ts";
import { REST, type Route } from "./rest.ts";

/** The whole REST part of the contract: name → route. `GET /api/openapi.json` is made from it. */
export const ROUTES = { ...REST, ...OPERATOR_REST } as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
/** What a schema of a route gives; undefined where the route has none. */
export type PartOf<R extends Route, K extends keyof Route> = R extends {
  readonly [P in K]: infer S extends v.GenericSchema;
}
  ? v.InferOutput<S>
  : undefined;
type Part<N extends RouteName, K extends keyof Route> = PartOf<(typeof ROUTES)[N], K>;
export type RouteParams<N extends RouteName> = Part<N, "params">;
export type RouteQuery<N extends RouteName> = Part<N, "query">;
export type RouteHeaders<N extends RouteName> = Part<N, "headers">;
export type RouteBody<N extends RouteName> = Part<N, "body">;
export type RouteAnswer<N extends RouteName> = Part<N, "answer">;
