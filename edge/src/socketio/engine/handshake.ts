import { type Handshake, handshakeBytes, maxHandshakeBytes } from "./attachment.ts";
import type { EngineSettings } from "./settings.ts";

/** A request that is well-formed Engine.IO v4. */
export interface Ask {
  transport: "polling" | "websocket";
  /** Absent: the request opens a session. */
  sid: string | undefined;
}

/** The reference server's error codes, and what it says with them. */
const refusals = {
  unknownTransport: [400, 0, "Transport unknown"],
  unknownSid: [400, 1, "Session ID unknown"],
  badHandshakeMethod: [400, 2, "Bad handshake method"],
  badRequest: [400, 3, "Bad request"],
  unsupportedProtocol: [400, 5, "Unsupported protocol version"],
  tooLarge: [413, 3, "Payload too large"],
  headersTooLarge: [431, 3, "Handshake too large"],
  flood: [429, 3, "Too many requests"],
  full: [503, 3, "Too many connections"],
} as const;

export type Refusal = keyof typeof refusals;

export function refuse(refusal: Refusal): Response {
  const [status, code, message] = refusals[refusal];
  return Response.json({ code, message }, { status, headers: { "cache-control": "no-store" } });
}

/** Reads method, query and upgrade header, as the reference server does and in its order. */
export function readAsk(request: Request, url: URL): Ask | Refusal {
  const transport = url.searchParams.get("transport");
  const wantsUpgrade = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  if (transport !== "polling" && transport !== "websocket") return "unknownTransport";
  if (url.searchParams.get("EIO") !== "4") return "unsupportedProtocol";
  if (wantsUpgrade !== (transport === "websocket")) return "badRequest";
  const sid = url.searchParams.get("sid") ?? undefined;
  if (request.method === "GET") return { transport, sid };
  if (sid === undefined) return "badHandshakeMethod";
  return request.method === "POST" && transport === "polling" ? { transport, sid } : "badRequest";
}

/** Headers that belong to one hop or one handshake; namespaces have no use for them. */
const hopHeaders = new Set([
  "connection",
  "upgrade",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "accept",
  "accept-encoding",
  "cache-control",
  "pragma",
]);

/** What is kept of the opening request; undefined when it is larger than an attachment should carry. */
export function keepHandshake(request: Request, url: URL): Handshake | undefined {
  const headers = [...request.headers].filter(([name]) => !hopHeaders.has(name));
  const handshake = { url: url.href, headers };
  return handshakeBytes(handshake) > maxHandshakeBytes ? undefined : handshake;
}

/** The data of the Engine.IO `open` packet. */
export function openingData(sid: string, transport: "polling" | "websocket", settings: EngineSettings): string {
  return JSON.stringify({
    sid,
    upgrades: transport === "polling" ? ["websocket"] : [],
    pingInterval: settings.pingIntervalMs,
    pingTimeout: settings.pingTimeoutMs,
    maxPayload: settings.maxPayloadBytes,
  });
}

/** 120 random bits in 20 URL-safe characters: whoever knows a sid may speak for the session. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
