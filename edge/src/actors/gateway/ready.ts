import type { DeviceId } from "@lescopains/protocol/device-list";
import type { DownBody } from "@lescopains/protocol/down";
import type { Presence, Self, Server } from "@lescopains/protocol/entities";
import type { Generation, SessionId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { blockedIds } from "../../db/blocks.ts";
import { channelMarks, withMarks } from "../../db/channels.ts";
import { directChannels } from "../../db/dms.ts";
import { serversOfUser } from "../../db/gateway.ts";
import type { Database } from "../../db/port.ts";
import { seatsAround } from "../../db/voice.ts";
import { serverActor } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import { rostersOf } from "../channel/seats.ts";
import type { LocalUser, Roster } from "./roster.ts";

interface Newcomer<S> {
  readonly db: Database;
  readonly env: Env;
  readonly shard: number;
  readonly roster: Roster<S>;
  readonly user: LocalUser<S>;
  readonly account: Self;
  readonly sessionId: SessionId;
  readonly generation: Generation;
  readonly deviceId: DeviceId | null;
}

/**
 * Makes the first event of a connection, and subscribes the person to what it shows. Subscribed first, read second:
 * what happens in between is held by the gateway and follows `ready`. Throws `DatabaseError` and failures of actors.
 */
export async function readyFor<S>({
  db,
  env,
  shard,
  roster,
  user,
  account,
  sessionId,
  generation,
  deviceId,
}: Newcomer<S>): Promise<DownBody<"ready">> {
  const rows = await db.query(serversOfUser, [user.id]);
  const attached = await Promise.all(
    rows.map(async ({ serverId }) => {
      roster.join(serverId, user.id);
      const answer = await serverActor(env, serverId).attach(shard, user.id, user.presence);
      // Refused: the person left, or was removed, between the two questions. Whatever a server actor says later is newer.
      const channelIds = answer.ok ? answer.value.server.channels.map(({ id }) => id) : null;
      const version = answer.ok ? answer.value.version : 0;
      roster.apply(serverId, version, { userId: user.id, channelIds });
      return answer.ok ? [answer.value] : [];
    }),
  );
  const [marks, dms, seats, blocked] = await Promise.all([
    db.query(channelMarks, [user.id]),
    directChannels(db, user.id),
    db.query(seatsAround, [user.id]),
    db.query(blockedIds, [user.id]),
  ]);
  const servers: Server[] = [];
  const presences = new Map<UserId, Presence>();
  for (const { server, presences: online } of attached.flat()) {
    servers.push(withMarks(server, marks));
    for (const one of online) if (presences.size < LIMITS.readyPresences) presences.set(one.userId, one);
  }
  const shown = new Set([...servers.flatMap(({ channels }) => channels), ...dms].map(({ id }) => id));
  const voice = rostersOf(seats.filter(({ channelId }) => shown.has(channelId)));
  return {
    user: account,
    servers,
    dms,
    presences: [...presences.values()],
    voice,
    blocked: blocked.map(({ id }) => id),
    sessionId,
    generation,
    deviceId,
  };
}
