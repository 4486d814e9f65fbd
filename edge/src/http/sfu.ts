import { ERRORS, type ErrorBody } from "@lescopains/protocol/errors";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { limitedAddress } from "./address.ts";

const away: ErrorBody = { code: "unavailable", message: "the voice node is not reachable", retryAfterMs: 500 };

/** Passes signalling on to the SFU node of the same machine, WebSockets included, with the address that the node limits joins by, and the request's name. */
export async function passToSfu(request: Request, env: Env, requestId: string): Promise<Response> {
  if (env.SFU === undefined) return new Response("not found", { status: 404 });
  const headers = new Headers(request.headers);
  headers.set("x-forwarded-for", limitedAddress(request, env));
  headers.set("x-request-id", requestId);
  try {
    return await env.SFU.fetch(new Request(request, { headers }));
  } catch (error) {
    // It is being started again: seconds.
    log.warn("the SFU node is not reachable", { error: error instanceof Error ? error.message : String(error) });
    return Response.json({ error: away }, { status: ERRORS[away.code].status, headers: { "retry-after": "1" } });
  }
}
