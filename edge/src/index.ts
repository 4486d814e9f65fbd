import { makeApp } from "./http/app.ts";
import { serveAsset } from "./http/assets.ts";
import { allowReading, preflight } from "./http/cors.ts";
import { withSecurityHeaders } from "./http/headers.ts";
import { isFromTrustedProxy, isSecure } from "./http/address.ts";
import { passToSfu } from "./http/sfu.ts";
import { refuseToServe } from "./http/refuse-to-serve.ts";
import { stub } from "./platform/actors.ts";
import { misconfigurations } from "./platform/configuration.ts";
import { type Env, settings } from "./platform/env.ts";
import { setLogLevel } from "./platform/logger.ts";
import { requestIdOf, within } from "./platform/trace.ts";

const SFU_REGISTRY_PATH = "/sfu-registry";

export { Channel } from "./actors/channel/actor.ts";
export { Gateway } from "./actors/gateway/actor.ts";
export { Limiter } from "./actors/limiter/actor.ts";
export { PgGate } from "./actors/pg-gate/actor.ts";
export { Server } from "./actors/server/actor.ts";
export { SfuRegistry } from "./actors/sfu-registry/actor.ts";
export { Passwords } from "./auth/passwords-entrypoint.ts";

const app = makeApp();
/** What pages of other origins may ask, where the operator lets them. */
const FOR_CLIENTS = /^\/(api|socket\.io)\//;
const REST_PATHS = /^\/(api(\/|$)|operator\/sfu(\/|$)|health$|metrics$)/;

/** One origin for everything: REST, sockets, voice signalling, the web client. */
export default {
  async fetch(request, env, ctx): Promise<Response> {
    setLogLevel(env.LOG_LEVEL);
    const problems = misconfigurations(env);
    if (problems.length > 0) return refuseToServe(problems);
    const url = new URL(request.url);
    const response = withSecurityHeaders(await answer(request, url, env, ctx), url, isSecure(request, env), env);
    if (FOR_CLIENTS.test(url.pathname)) allowReading(response, request, env);
    return response;
  },
} satisfies ExportedHandler<Env>;

async function answer(request: Request, url: URL, env: Env, ctx: ExecutionContext): Promise<Response> {
  const { pathname } = url;
  const asked = FOR_CLIENTS.test(pathname) ? preflight(request, env) : undefined;
  if (asked !== undefined) return asked;
  if (pathname.startsWith("/socket.io/")) return gatewayOf(url, env).fetch(request);
  if (pathname === SFU_REGISTRY_PATH) return stub(env, env.SFU_REGISTRY, "sfu").fetch(request);
  const requestId = requestIdOf(isFromTrustedProxy(request, env) ? request.headers.get("x-request-id") : undefined);
  if (pathname.startsWith("/sfu/")) return within({ requestId }, () => passToSfu(request, env, requestId));
  if (!REST_PATHS.test(pathname)) return serveAsset(request, env);
  const response = await within({ requestId }, () => app.fetch(request, env, ctx));
  response.headers.set("x-request-id", requestId);
  return response;
}

/** The gateway that made this Engine.IO session, or any one for a new session. */
function gatewayOf(url: URL, env: Env): DurableObjectStub {
  const shards = settings(env).GATEWAY_SHARDS;
  const named = Number(/^(\d{1,2})\./.exec(url.searchParams.get("sid") ?? "")?.[1] ?? Number.NaN);
  const shard = named < shards ? named : Math.floor(Math.random() * shards);
  return stub(env, env.GATEWAY, String(shard));
}
