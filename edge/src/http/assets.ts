import type { Env } from "../platform/env.ts";

/** Content types of what a web build holds; anything else is not served. */
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};
/** Hashed by the build: a name never gets other content. */
const IMMUTABLE = /^\/assets\/[\w.-]+$/;
const FILE = /^(\/[\w][\w.-]*)+\.([a-z0-9]+)$/;

/**
 * Serves the built web client. A path without an extension is a view of it and gets its page. `.br` and `.gz` files stand beside
 * the originals (tools/stack/build.ts) and are sent as they are.
 */
export async function serveAsset(request: Request, env: Env): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return new Response("only GET", { status: 405, headers: { allow: "GET, HEAD" } });
  const { pathname, origin } = new URL(request.url);
  const isFile = /\.[a-z0-9]+$/.test(pathname);
  const path = isFile ? pathname : "/index.html";
  const type = TYPES[FILE.exec(path)?.[2] ?? ""];
  if (type === undefined) return new Response("not found", { status: 404 });
  const accepted = request.headers.get("accept-encoding") ?? "";
  const headers = new Headers({
    "content-type": type,
    "cache-control": IMMUTABLE.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    vary: "accept-encoding",
  });
  for (const [coding, suffix] of [
    ["br", ".br"],
    ["gzip", ".gz"],
    ["identity", ""],
  ] as const) {
    if (coding !== "identity" && !accepted.includes(coding)) continue;
    const file = await env.ASSETS.fetch(new Request(`${origin}${path}${suffix}`));
    if (!file.ok) {
      await file.body?.cancel();
      continue;
    }
    if (coding !== "identity") headers.set("content-encoding", coding);
    const length = file.headers.get("content-length");
    if (length !== null) headers.set("content-length", length);
    if (request.method === "HEAD") await file.body?.cancel();
    return new Response(request.method === "HEAD" ? null : file.body, {
      headers,
      encodeBody: coding === "identity" ? "automatic" : "manual",
    });
  }
  return new Response("not found", { status: 404 });
}
