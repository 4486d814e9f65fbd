import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "@lescopains/protocol/entities";
import { DEFAULT_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import { expect } from "vitest";
import { connect, type Connection } from "../flows/kit/connection.ts";
import { enroll, type Person, serverWith, textChannel } from "../flows/kit/people.ts";
import type { Place } from "../flows/kit/place.ts";
import { granted } from "../flows/kit/rest.ts";
import type { IdPool } from "./valid-values.ts";

/** Stands in everything that belongs to people with whom no attacker shares a server. */
export const CANARY = `canary-${randomUUID().slice(0, 8)}`;

/** Someone else's server, full of canaries, and the ids of all that is in it. */
export async function plantCanaries(place: Place): Promise<{ readonly ids: IdPool; readonly server: Server }> {
  const [owner, friend] = (await enroll(place, 2)) as [Person, Person];
  const { token } = owner;
  await place.sql.query("UPDATE users SET display_name = $1, email = $2 WHERE id = ANY ($3)", [
    CANARY,
    `${CANARY}@example.org`,
    [owner.id, friend.id],
  ]);
  const made = await serverWith(place, owner, [friend]);
  const params = { id: made.id };
  await granted(place.url, "patchServer", { token, params, body: { name: CANARY } });
  const role = await granted(place.url, "createRole", { token, params, body: { name: CANARY } });
  const channel = await granted(place.url, "createChannel", { token, params, body: { name: CANARY, topic: CANARY } });
  const connection = await connect(place, owner);
  const messages: string[] = [];
  for (const channelId of [channel.id, textChannel(made).id]) {
    for (let n = 0; n < 3; n += 1) {
      const nonce = `${CANARY} ${n}`;
      messages.push(
        (await connection.must("message:send", { channelId, content: CANARY, nonce, metadata: { CANARY } })).id,
      );
    }
  }
  connection.close();
  const server = await granted(place.url, "getServer", { token, params });
  expect(JSON.stringify(server), "their owner does see them").toContain(CANARY);
  return {
    server,
    ids: {
      UserId: [owner.id, friend.id],
      SessionId: [owner.sessionId, friend.sessionId],
      ServerId: [server.id],
      RoleId: [role.id, ...server.roles.map(({ id }) => id)],
      ChannelId: server.channels.map(({ id }) => id),
      MessageId: messages,
    },
  };
}

const SETS = [
  0n,
  PERMISSIONS.viewChannel,
  PERMISSIONS.sendMessages,
  PERMISSIONS.addReactions | PERMISSIONS.attachFiles,
].map(String);
const PERMISSION_SETS: IdPool = { permissions: SETS, allow: SETS, deny: SETS };

/** Someone who may do many things, and tries all others. */
export interface Attacker {
  readonly person: Person;
  /** Ids of their own things and of other people's. */
  readonly ids: IdPool;
}

/** Owner of a server, ordinary member of another, with a second session: so that valid requests have an effect. */
export async function attackerIn(place: Place, others: IdPool): Promise<Attacker> {
  const [person, host, companion, outcast] = (await enroll(place, 4)) as [Person, Person, Person, Person];
  const own = await serverWith(place, person, [companion]);
  const shared = await serverWith(place, host, [person]);
  const token = person.token;
  const role = await granted(place.url, "createRole", {
    token,
    params: { id: own.id },
    body: { name: "friends", permissions: String(DEFAULT_PERMISSIONS & ~PERMISSIONS.connect) },
  });
  const invite = await granted(place.url, "createInvite", { token: host.token, params: { id: shared.id }, body: {} });
  const mine = await granted(place.url, "createInvite", { token, params: { id: own.id }, body: {} });
  // What can be undone is there.
  await granted(place.url, "ban", { token, params: { id: own.id, userId: outcast.id }, body: {} });
  const overwrite = { type: "role", allow: "0", deny: "0" } as const;
  for (const targetId of [role.id, own.roles[0]?.id ?? role.id]) {
    await granted(place.url, "putOverwrite", { token, params: { id: textChannel(own).id, targetId }, body: overwrite });
  }
  const second = randomUUID();
  await place.sql.query(
    "INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'other', now() + interval '1 day')",
    [second, person.id],
  );
  const connection = await connect(place, person);
  const messages: string[] = [];
  for (const server of [own, shared]) {
    const channelId = textChannel(server).id;
    for (let n = 0; n < 3; n += 1) {
      messages.push((await connection.must("message:send", { channelId, content: "hello", nonce: `mine ${n}` })).id);
    }
  }
  connection.close();
  return {
    person,
    ids: {
      UserId: [person.id, companion.id, outcast.id, host.id, ...(others["UserId"] ?? [])],
      SessionId: [second, ...(others["SessionId"] ?? [])],
      ServerId: [own.id, own.id, own.id, shared.id, ...(others["ServerId"] ?? [])],
      RoleId: [role.id, role.id, ...own.roles.map(({ id }) => id), ...(others["RoleId"] ?? [])],
      ChannelId: [
        textChannel(own).id,
        textChannel(own).id,
        textChannel(own).id,
        textChannel(shared).id,
        ...(others["ChannelId"] ?? []),
      ],
      MessageId: [...messages, ...(others["MessageId"] ?? [])],
      code: [invite.code, mine.code],
      ...PERMISSION_SETS,
    },
  };
}

/** Someone who talks to a friend all the while, and notices when that stops working. */
export interface Bystander {
  /** Ends the talk. Throws when a message was refused, lost, out of order, or a connection was cut. */
  leave(): Promise<{ readonly roundTrips: number; readonly slowestMs: number }>;
}

export async function startBystander(place: Place): Promise<Bystander> {
  const [one, friend] = (await enroll(place, 2)) as [Person, Person];
  const channelId = textChannel(await serverWith(place, one, [friend])).id;
  const [speaker, listener]: Connection[] = [await connect(place, one), await connect(place, friend)];
  if (speaker === undefined || listener === undefined) throw new Error("two connections were made");
  const leaving = new AbortController();
  let slowestMs = 0;
  let roundTrips = 0;
  const talk = (async () => {
    while (!leaving.signal.aborted) {
      const content = `bystander ${roundTrips}`;
      const startMs = performance.now();
      await speaker.must("message:send", { channelId, content, nonce: content });
      await listener.until("message:new", (message) => message.content === content);
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      roundTrips += 1;
      // Well below what counts as flooding.
      await sleep(30);
    }
  })();
  // Reported by `leave`.
  talk.catch(() => undefined);
  return {
    leave: async () => {
      leaving.abort();
      await talk;
      expect(roundTrips).toBeGreaterThan(0);
      expect(listener.of("message:new").map(({ content }) => content)).toEqual(
        Array.from({ length: roundTrips }, (_, n) => `bystander ${n}`),
      );
      expect([...speaker.closes, ...listener.closes]).toEqual([]);
      speaker.close();
      listener.close();
      return { roundTrips, slowestMs };
    },
  };
}
