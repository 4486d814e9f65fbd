import type { Env } from "../platform/env.ts";
import { voiceOrigins } from "../voice/origins.ts";

type VoiceSettings = Pick<Env, "VOICE_ORIGINS">;

const USED = "autoplay camera clipboard-write display-capture fullscreen microphone picture-in-picture".split(" ");
const UNUSED = "accelerometer geolocation gyroscope magnetometer midi payment usb xr-spatial-tracking".split(" ");
/** What pages may use of the browser; no frame is among them. */
const FEATURES = [...USED.map((name) => `${name}=(self)`), ...UNUSED.map((name) => `${name}=()`)].join(", ");

/** An origin as a page may reach it: by requests and by sockets. */
function bothSchemes(origin: string): string {
  return `${origin} ${origin.replace(/^http/, "ws")}`;
}

/**
 * The policy of every page and worker. Scripts are files of this origin, started through Trusted Types (web/src/app/trusted-types.ts and
 * web/src/features/conversation/markdown.ts make the two policies of ours; DOMPurify its own).
 */
function contentPolicy(origin: string, settings: VoiceSettings): string {
  // Not every browser takes 'self' for its sockets too.
  const connections = ["'self'", origin.replace(/^http/, "ws"), ...voiceOrigins(settings).map(bothSchemes)];
  return [
    "default-src 'none'",
    // WebAssembly and no `eval`: the audio thread takes the noise out of voices with it.
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "manifest-src 'self'",
    `connect-src ${connections.join(" ")}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types default markdown dompurify",
  ].join("; ");
}

/**
 * Headers of every answer, whatever stands in front of the edge: scripts, styles and connections come from this origin alone, nothing may frame
 * it or load it into another page, and only what says so is kept. `secure`: the browser is told never to come without TLS again.
 */
export function withSecurityHeaders(response: Response, url: URL, secure: boolean, settings: VoiceSettings): Response {
  // A WebSocket's answer takes no headers.
  if (response.webSocket !== null) return response;
  const answer = new Response(response.body, response);
  const { headers } = answer;
  headers.set("content-security-policy", contentPolicy(`${secure ? "https" : "http"}://${url.host}`, settings));
  headers.set("x-content-type-options", "nosniff");
  headers.set("x-frame-options", "DENY");
  headers.set("referrer-policy", "no-referrer");
  headers.set("permissions-policy", FEATURES);
  // Together they isolate the page: no other one shares its process, or has a hand on it.
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-embedder-policy", "require-corp");
  headers.set("cross-origin-resource-policy", "same-origin");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  // Not for localhost: browsers would hold it against everything else that runs there. Nor for subdomains, which may be somebody else's.
  if (secure && url.hostname !== "localhost") headers.set("strict-transport-security", "max-age=31536000");
  return answer;
}
