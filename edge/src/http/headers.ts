/**
 * Security headers of every answer. Scripts, styles and connections come from this origin alone; nothing may frame it.
 * `https`: the browser is told never to come without TLS again.
 */
export function withSecurityHeaders(response: Response, url: URL, secure: boolean): Response {
  // A WebSocket's answer takes no headers.
  if (response.webSocket !== null) return response;
  const socketOrigin = `${secure ? "wss" : "ws"}://${url.host}`;
  const answer = new Response(response.body, response);
  const { headers } = answer;
  headers.set(
    "content-security-policy",
    [
      "default-src 'self'",
      // WebAssembly and no `eval`: the audio thread takes the noise out of voices with it.
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      "img-src 'self' data: blob:",
      `connect-src 'self' ${socketOrigin}`,
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join("; "),
  );
  headers.set("x-content-type-options", "nosniff");
  headers.set("x-frame-options", "DENY");
  headers.set("referrer-policy", "no-referrer");
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("permissions-policy", "geolocation=(), payment=(), usb=()");
  if (secure) headers.set("strict-transport-security", "max-age=31536000; includeSubDomains");
  return answer;
}
