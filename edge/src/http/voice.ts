import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { decodeJwt } from "jose";
import { channelActor, sfuRegistry } from "../platform/actors.ts";
import { ok, refuse } from "@lescopains/protocol/outcome";
import { iceFor } from "../voice/ice.ts";
import { deviceOf, enter, moderate } from "../voice/places.ts";
import { signRoomToken } from "../voice/room-token.ts";
import { originOf } from "./address.ts";
import { answerRefusal, type App, type AppContext, serve } from "./route.ts";

const NO_VOICE = refuse("unavailable", "no voice server is connected", { retryAfterMs: 2_000 });

/** Voice: places in channels and calls, and the way to the nodes that carry their media. */
export function voiceRoutes(app: App): void {
  serve(app, "joinVoice", async ({ env, db, user, body, c }) => {
    const { channelId, joinId } = body;
    const key = env.SFU_SIGNING_KEY ?? "";
    if (key === "") return NO_VOICE;
    const [userId, sessionId] = [user.sub, user.sid];
    const deviceId = await deviceOf(db, userId, sessionId);
    const joined = await enter(env, db, channelId, {
      userId,
      sessionId,
      deviceId,
      joinId,
      media: { region: regionOf(c) },
    });
    if (!joined.ok) return joined;
    const { place, roster } = joined.value;
    if (place === null) return NO_VOICE;
    const nowMs = Date.now();
    return ok({
      url: nodeUrl(place.url, c),
      token: await signRoomToken(key, { userId, sessionId, channelId }, joined.value, place, nowMs),
      ...(await iceFor(env, joined.value.joinId, nowMs)),
      joinId: joined.value.joinId,
      roster,
    });
  });
  serve(app, "getVoice", ({ env, user, params }) => channelActor(env, params.id).voiceRoster(user.sub));
  serve(app, "patchVoiceMember", ({ env, db, user, params, body }) =>
    moderate(env, db, user.sub, params.userId, params.id, body),
  );
  serve(app, "removeVoiceMember", async ({ env, user, params }) => {
    const removed = await remove(env, user.sub, params.userId, params.id);
    return removed.ok ? ok() : removed;
  });
  // The node's own requests; old clients ask here.
  app.post("/api/voice/produce", (c) => toNode(c, "produce"));
  app.post("/api/voice/consume", (c) => toNode(c, "consume"));
}

/** Where clients reach a node that says of itself `""`, `/path` (at our own address) or `https://…`. */
function nodeUrl(said: string, c: AppContext): string {
  return said === "" || said.startsWith("/") ? `${originOf(c.req.raw, c.env)}${said}` : said;
}

/** Oneself, or somebody else as a moderator. */
function remove(env: AppContext["env"], by: UserId, userId: UserId, channelId: ChannelId) {
  const channel = channelActor(env, channelId);
  return by === userId ? channel.voiceLeave(userId, "left") : channel.voiceRemove(by, userId);
}

/** Where Cloudflare sees the client; nodes name their region likewise. At home there is one. */
function regionOf(c: AppContext): string | null {
  const { continent } = (c.req.raw.cf ?? {}) as { continent?: unknown };
  return typeof continent === "string" ? continent.toLowerCase() : null;
}

/** [VO15] The node that a room token is for: only it can tell whether the token is good. */
async function toNode(c: AppContext, request: "produce" | "consume"): Promise<Response> {
  const audience = audienceOf(c.req.header("authorization"));
  if (audience === undefined) return answerRefusal(c, refuse("unauthenticated", "a room token is needed"));
  const nodes = await sfuRegistry(c.env).nodes();
  const node = nodes.find(({ id }) => id === audience);
  if (node === undefined) return answerRefusal(c, refuse("not_found", "the node of this token is not connected"));
  return c.body(null, 308, { location: `${node.url}/sfu/${request}` });
}

function audienceOf(authorization: string | undefined): string | undefined {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
  try {
    const { aud } = decodeJwt(token);
    return typeof aud === "string" ? aud : undefined;
  } catch {
    return undefined;
  }
}
