import type { JoinId } from "@lescopains/protocol/ids";
import type { IceServer, VoiceJoined } from "@lescopains/protocol/voice";
import type { Env } from "../platform/env.ts";

/** TURN servers ask for the credentials again each time they renew an allocation: they hold for longer than a call. */
const CREDENTIALS_MS = 12 * 60 * 60_000;

type IceSettings = Pick<Env, "STUN_URLS" | "TURN_URLS" | "TURN_SECRET" | "ICE_TRANSPORT_POLICY">;

function list(urls: string | undefined): string[] {
  return (urls ?? "")
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "");
}

/**
 * [VO14] The servers that help a client to reach a node. Credentials are as draft-uberti-behave-turn-rest says: the name is when they end
 * and for whom they are, the password its HMAC-SHA1 with the secret that the TURN server shares. They name the stay, not the person.
 */
export async function iceFor(
  { STUN_URLS, TURN_URLS, TURN_SECRET = "", ICE_TRANSPORT_POLICY }: IceSettings,
  joinId: JoinId,
  nowMs: number,
): Promise<Pick<VoiceJoined, "iceServers" | "iceTransportPolicy">> {
  const [stun, turn] = [list(STUN_URLS), list(TURN_URLS)];
  const iceServers: IceServer[] = stun.length === 0 ? [] : [{ urls: stun }];
  if (turn.length > 0) {
    if (TURN_SECRET === "") throw new Error("TURN_URLS needs TURN_SECRET");
    const username = `${Math.floor((nowMs + CREDENTIALS_MS) / 1_000)}:${joinId}`;
    iceServers.push({ urls: turn, username, credential: await credentialFor(TURN_SECRET, username) });
  }
  // Without a relay nobody could connect by relays alone.
  const iceTransportPolicy = ICE_TRANSPORT_POLICY === "relay" && turn.length > 0 ? "relay" : "all";
  return { iceServers, iceTransportPolicy };
}

async function credentialFor(secret: string, username: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(username));
  return btoa(String.fromCharCode(...new Uint8Array(mac)));
}
