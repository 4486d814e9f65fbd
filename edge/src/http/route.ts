import { ERRORS, type ErrorBody } from "@lescopains/protocol/errors";
import { LIMITS } from "@lescopains/protocol/limits";
import type { Route } from "@lescopains/protocol/rest";
import {
  type RouteAnswer,
  type RouteBody,
  type RouteHeaders,
  type RouteName,
  type RouteParams,
  type RouteQuery,
  ROUTES,
} from "@lescopains/protocol/routes";
import type { AccessClaims } from "@lescopains/protocol/token";
import type { Context, Hono } from "hono";
import * as v from "valibot";
import { bearerClaims, living } from "../auth/authenticate.ts";
import { isOperator } from "../db/operators.ts";
import { type Database, database } from "../db/port.ts";
import type { Env } from "../platform/env.ts";
import { refusals } from "../platform/metrics.ts";
import { currentTrace } from "../platform/trace.ts";
import { budgetOf } from "./budgets.ts";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";

export type AppContext = Context<{ Bindings: Env }>;
export type App = Hono<{ Bindings: Env }>;

/** What a handler is given: everything parsed and authorised by the route's own line in the contract. */
export interface Call<N extends RouteName> {
  readonly env: Env;
  readonly db: Database;
  readonly params: RouteParams<N>;
  readonly query: RouteQuery<N>;
  readonly headers: RouteHeaders<N>;
  readonly body: RouteBody<N>;
  /** Who asks; only routes with `auth: "user"` or `"operator"` may read it. */
  readonly user: (typeof ROUTES)[N]["auth"] extends "user" | "operator" ? AccessClaims : undefined;
  /** What was to be made was there already: the answer has the route's `foundStatus`. */
  readonly found: () => void;
  /** Raw access to cookies, headers and the client's address. */
  readonly c: AppContext;
}

/** Serves one line of the contract: authenticate → parse → call, which authorises → answer. Strangers get nothing parsed. */
export function serve<N extends RouteName>(
  app: App,
  name: N,
  handler: (call: Call<N>) => Promise<Outcome<RouteAnswer<N>>>,
): void {
  const route: Route = ROUTES[name];
  app.on(route.method, route.path, async (c) => {
    const db = database(c.env);
    const who = await admitted(c, db, name, route);
    if (!who.ok) return answerRefusal(c, who);
    const user = who.value;
    const input = await read(route, c);
    if (!input.ok) return answerRefusal(c, input);
    let { status } = route;
    const found = (): void => {
      status = route.foundStatus ?? status;
    };
    const outcome = await handler({ env: c.env, db, ...input.value, user, found, c } as Call<N>);
    if (!outcome.ok) return answerRefusal(c, outcome);
    return status === 204 ? c.body(null, 204) : c.json(outcome.value as object, status);
  });
}

/**
 * Who asks, if the route takes somebody, once the request has its place in the budget. The budget and PostgreSQL are asked at the same time: together
 * they take no longer than the slower; who has used the budget up asks neither.
 */
async function admitted(
  c: AppContext,
  db: Database,
  name: RouteName,
  route: Route,
): Promise<Outcome<AccessClaims | undefined>> {
  const needsUser = route.auth === "user" || route.auth === "operator";
  const claims = needsUser ? await bearerClaims(c.env, c.req.header("authorization")) : undefined;
  const genuine = claims?.ok === true ? claims.value : undefined;
  const budget = budgetOf(c.env, c.req.raw, name, genuine?.sub);
  if (budget.known !== undefined) return budget.known;
  const [taken, alive] = await Promise.all([budget.take(), genuine === undefined ? claims : living(db, genuine)]);
  if (!taken.ok) return taken;
  if (alive === undefined) return ok();
  if (!alive.ok) return alive;
  const trace = currentTrace();
  if (trace !== undefined) trace.userId = alive.value.sub;
  if (route.auth === "operator" && (await db.query(isOperator, [alive.value.sub])).length === 0)
    return refuse("forbidden", "this is for operators");
  return alive;
}

/** A refusal as HTTP: the code's status, the error body, `Retry-After` in seconds. */
export function answerRefusal(c: AppContext, { error }: Refusal): Response {
  refusals.inc({ via: "http", code: error.code });
  if (error.retryAfterMs !== undefined) c.header("retry-after", String(Math.ceil(error.retryAfterMs / 1_000)));
  return c.json({ error } satisfies { error: ErrorBody }, ERRORS[error.code].status);
}

/** Everything of a request that its route's line has a schema for. */
interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;
}

async function read(route: Route, c: AppContext): Promise<Outcome<Input>> {
  const params = parse(route.params, c.req.param(), "path");
  // A malformed id is the id of nothing.
  if (!params.ok) return refuse("not_found", "no such thing");
  const query = parse(route.query, c.req.query(), "query");
  if (!query.ok) return query;
  const headers = parse(route.headers, route.headers && c.req.header(), "head");
  if (!headers.ok) return headers;
  const body = await readBody(route, c.req.raw);
  if (!body.ok) return body;
  return ok({ params: params.value, query: query.value, headers: headers.value, body: body.value });
}

async function readBody(route: Route, request: Request): Promise<Outcome<unknown>> {
  if (route.body === undefined) return ok(undefined);
  const text = await readText(request, route.bodyBytes ?? LIMITS.bodyBytes);
  if (!text.ok) return text;
  let json: unknown;
  try {
    // A body left out is an empty object: it is refused where something in it is needed.
    json = text.value === "" ? {} : JSON.parse(text.value);
  } catch {
    return refuse("invalid_request", "the body is not JSON");
  }
  return parse(route.body, json, "body");
}

/** Reads a body of at most `maxBytes`; stops reading as soon as there is more. */
async function readText(request: Request, maxBytes: number): Promise<Outcome<string>> {
  const tooLarge = refuse("too_large", `a body has at most ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return tooLarge;
  if (request.body === null) return ok("");
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of request.body as ReadableStream<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) return tooLarge;
      text += decoder.decode(chunk, { stream: true });
    }
    return ok(text + decoder.decode());
  } catch {
    return refuse("invalid_request", "the body is not UTF-8 text");
  }
}

/** Parses with a schema of the contract; the refusal names the first few places that do not fit. */
function parse(schema: v.GenericSchema | undefined, value: unknown, where: string): Outcome<unknown> {
  if (schema === undefined) return ok(undefined);
  const parsed = v.safeParse(schema, value, { abortPipeEarly: true });
  if (parsed.success) return ok(parsed.output);
  const issues = parsed.issues.slice(0, 5).map((issue) => ({
    path: v.getDotPath(issue) ?? "",
    // The received value stays out: it may be a password.
    message: issue.message.replace(/ but received .*$/s, ""),
  }));
  return refuse("invalid_request", `the ${where} does not fit the contract`, { details: { issues } });
}
