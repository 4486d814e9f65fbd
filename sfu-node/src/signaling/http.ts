import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ERRORS } from "@lescopains/protocol/errors";
import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import { isFromOwnProxy, limitedAddress } from "../platform/address.ts";
import { requestIdOf, within } from "../platform/trace.ts";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";
import { HANDLERS } from "./requests.ts";
import type { SignalingOptions } from "./socket.ts";

/** Answers of the node about itself, by path. */
export type Pages = Readonly<Record<string, (request: IncomingMessage) => Promise<Page>>>;

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const requestTimeoutMs = 10_000;
/** `/sfu/transport/connect` → `transport:connect`. */
const REQUESTS = new Map(Object.keys(HANDLERS).map((name) => [`/sfu/${name.replaceAll(":", "/")}`, name]));
const noPlace = refuse("unauthenticated", "this token has joined nothing over HTTP: POST /sfu/join first");

/** The node's HTTP side: `POST /sfu/join` with the token as Bearer, then the same requests as by socket; and pages about the node. */
export function serveHttp(options: SignalingOptions, pages: Pages): Server {
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs }, (req, res) => {
    const requestId = nameOf(req, options);
    res.setHeader("x-request-id", requestId);
    within({ requestId }, () => {
      answer(req, res, options, pages).catch((error: unknown) => {
        options.log.error("an HTTP request failed", error, { method: req.method ?? "" });
        if (res.headersSent) return res.destroy();
        const refused = refuse("internal", "something went wrong on our side");
        return sendRefusal(res, { ...refused, error: { ...refused.error, requestId } });
      });
    });
  });
  return server;
}

/** What a request is called: by the edge or a proxy that passed it on, or by us. */
export function nameOf(req: IncomingMessage, { addresses }: Pick<SignalingOptions, "addresses">): string {
  return requestIdOf(isFromOwnProxy(req, addresses) ? req.headers["x-request-id"] : undefined);
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  options: SignalingOptions,
  pages: Pages,
): Promise<void> {
  const path = (req.url ?? "/").split("?", 1)[0] ?? "/";
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page !== undefined && req.method === "GET") {
    const { status, type, body } = await page(req);
    res.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    return;
  }
  allowOrigin(req, res, options.origins);
  const isJoin = path === "/sfu/join";
  const name = REQUESTS.get(path);
  if (!isJoin && name === undefined) return sendRefusal(res, refuse("not_found", "no such route"));
  if (req.method === "OPTIONS") {
    res.writeHead(204, {
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": "86400",
    });
    res.end();
    return;
  }
  if (req.method !== "POST")
    return sendRefusal(res.setHeader("allow", "POST"), refuse("method_not_allowed", "POST it"));
  const beganMs = performance.now();
  const outcome = await call(req, name, options);
  const status = outcome.ok ? 200 : ERRORS[outcome.error.code].status;
  options.log.info("request", { method: "POST", route: path, status, ms: Math.round(performance.now() - beganMs) });
  if (outcome.ok) sendJson(res, 200, outcome.value);
  else sendRefusal(res, outcome);
}

async function call(
  req: IncomingMessage,
  name: string | undefined,
  options: SignalingOptions,
): Promise<Outcome<object>> {
  const { sessions, addresses } = options;
  const token = /^Bearer ([\w.-]{1,2048})$/.exec(req.headers.authorization ?? "")?.[1];
  if (token === undefined) return refuse("unauthenticated", "a room token is missing: Authorization: Bearer …");
  if (name === undefined) {
    const address = limitedAddress(req, addresses);
    const joined = await sessions.join({ token, address, overHttp: true });
    return joined.ok ? ok(joined.value.room.snapshot(joined.value.peer)) : joined;
  }
  const session = sessions.overHttp(token);
  if (session === undefined) return noPlace;
  const body = await readJson(req);
  return body.ok ? sessions.request(session, name, body.value) : body;
}

async function readJson(req: IncomingMessage): Promise<Outcome<unknown>> {
  const tooLarge = refuse("too_large", `a request has at most ${SFU_LIMITS.requestBytes} bytes`);
  if (Number(req.headers["content-length"] ?? 0) > SFU_LIMITS.requestBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > SFU_LIMITS.requestBytes) return tooLarge;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return ok(text === "" ? {} : JSON.parse(text));
  } catch {
    return refuse("invalid_request", "the body is not JSON");
  }
}

function allowOrigin(req: IncomingMessage, res: ServerResponse, origins: readonly string[]): void {
  const { origin } = req.headers;
  if (origin === undefined || !origins.includes(origin)) return;
  res.setHeader("access-control-allow-origin", origin).setHeader("vary", "origin");
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(text);
}

function sendRefusal(res: ServerResponse, { error }: Refusal): void {
  if (error.retryAfterMs !== undefined) res.setHeader("retry-after", String(Math.ceil(error.retryAfterMs / 1_000)));
  // A body that was not read would be taken for the next request.
  if (error.code === "too_large") res.setHeader("connection", "close");
  sendJson(res, ERRORS[error.code].status, { error });
}
