import { originsIn } from "../platform/origins.ts";
import type { Env } from "../platform/env.ts";

type CorsSettings = Pick<Env, "CORS_ORIGINS">;

const METHODS = "GET, POST, PUT, PATCH, DELETE";
const HEADERS = "authorization, content-type, x-vault-token";
const EXPOSED = "retry-after, x-request-id";
/** Two hours, the most that Chromium heeds. */
const MAX_AGE_S = 7_200;

/** Origins of other people's clients whose pages may ask (CORS_ORIGINS), exactly as they stand there. Nobody's, unless the operator says so. */
export function mayAskFrom(origin: string | null | undefined, env: CorsSettings): boolean {
  return typeof origin === "string" && originsIn("CORS_ORIGINS", env.CORS_ORIGINS).includes(origin);
}

/** The answer to a page's question whether it may send a request (Fetch Standard, CORS-preflight); undefined: the request is no such question, or nobody's who may. */
export function preflight(request: Request, env: CorsSettings): Response | undefined {
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return undefined;
  if (!mayAskFrom(request.headers.get("origin"), env)) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": HEADERS,
      "access-control-max-age": String(MAX_AGE_S),
    },
  });
}

/** Lets the page that asked read the answer, if it may ask. Changes the headers of the response in place. */
export function allowReading(response: Response, request: Request, env: CorsSettings): void {
  // A WebSocket's answer takes no headers.
  if (response.status === 101 || originsIn("CORS_ORIGINS", env.CORS_ORIGINS).length === 0) return;
  response.headers.append("vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null || !mayAskFrom(origin, env)) return;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-allow-credentials", "true");
  response.headers.set("access-control-expose-headers", EXPOSED);
}
