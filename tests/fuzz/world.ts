import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "@lescopains/protocol/entities";
import { DEFAULT_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import { expect } from "vitest";
import { type DevicePerson, type Identity, kyberPreKey, signedPreKey, withDevice } from "../flows/kit/devices.ts";
import { openDm, pairwise } from "../flows/kit/direct.ts";
import { connect, type Connection } from "../flows/kit/connection.ts";
import { enroll, type Person, serverWith, textChannel, tokenFor } from "../flows/kit/people.ts";
import type { Place } from "../flows/kit/place.ts";
import { granted } from "../flows/kit/rest.ts";
import { makeVault, sealed } from "../flows/kit/vault.ts";
import { voiceIn } from "../flows/kit/voice.ts";
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
  const device = await withDevice(place, owner);
  const partner = await withDevice(place, friend);
  await place.sql.query("UPDATE devices SET name = $1 WHERE user_id = $2", [CANARY, owner.id]);
  const dm = await openDm(place, owner, friend);
  const connection = await connect(place, device);
  const messages: string[] = [];
  messages.push((await connection.must("message:send", { ...pairwise(dm.id, CANARY, partner), nonce: CANARY })).id);
  for (const channelId of [channel.id, textChannel(made).id]) {
    for (let n = 0; n < 3; n += 1) {
      const nonce = `${CANARY} ${n}`;
      messages.push(
        (await connection.must("message:send", { channelId, content: CANARY, nonce, metadata: { CANARY } })).id,
      );
    }
  }
  connection.close();
  await (await makeVault(place, owner)).write(CANARY, 1, sealed(100));
  const handoff = await granted(place.url, "openHandoff", { token, body: { publicKey: PUBLIC_KEY } });
  const server = await granted(place.url, "getServer", { token, params });
  expect(JSON.stringify(server), "their owner does see them").toContain(CANARY);
  return {
    server,
    ids: {
      UserId: [owner.id, friend.id],
      SessionId: [owner.sessionId, friend.sessionId],
      ServerId: [server.id],
      RoleId: [role.id, ...server.roles.map(({ id }) => id)],
      ChannelId: [dm.id, ...server.channels.map(({ id }) => id)],
      MessageId: messages,
      HandoffId: [handoff.id],
    },
  };
}

const PUBLIC_KEY = Buffer.alloc(33, 5).toString("base64");

const SETS = [
  0n,
  PERMISSIONS.viewChannel,
  PERMISSIONS.sendMessages,
  PERMISSIONS.addReactions | PERMISSIONS.attachFiles,
].map(String);
/** What a key can hold whose schema is more than a shape. */
const CHOICES: IdPool = { permissions: SETS, allow: SETS, deny: SETS, emoji: ["👍", "❤️", "👨‍👩‍👧", "🇫🇷"] };

/** Someone who may do many things, and tries all others. */
export interface Attacker {
  readonly person: DevicePerson;
  /** Ids of their own things and of other people's. */
  readonly ids: IdPool;
}

/** Owner of a server, ordinary member of another, with a second session: so that valid requests have an effect. */
export async function attackerIn(place: Place, others: IdPool): Promise<Attacker> {
  const [one, host, companion, outcast] = (await enroll(place, 4)) as [Person, Person, Person, Person];
  const person = await withDevice(place, one);
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
  await granted(place.url, "putFriend", { token, params: { userId: companion.id } });
  await granted(place.url, "putBlock", { token, params: { userId: outcast.id } });
  const overwrite = { type: "role", allow: "0", deny: "0" } as const;
  for (const targetId of [role.id, own.roles[0]?.id ?? role.id]) {
    await granted(place.url, "putOverwrite", { token, params: { id: textChannel(own).id, targetId }, body: overwrite });
  }
  const vault = await makeVault(place, person);
  await vault.write("identity", 1, sealed(100));
  const asked = { token, body: { publicKey: PUBLIC_KEY } };
  const handoffs = [await granted(place.url, "openHandoff", asked), await granted(place.url, "openHandoff", asked)];
  const second = randomUUID();
  await place.sql.query(
    "INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'other', now() + interval '1 day')",
    [second, person.id],
  );
  const partners = [await withDevice(place, host), await withDevice(place, companion)] as const;
  const dm = await openDm(place, person, host);
  const group = await openDm(place, person, host, companion);
  const voice = await voiceIn(place, own, person);
  const connection = await connect(place, person);
  await connection.must("voice:join", { channelId: dm.id });
  const talker = await connect(place, companion);
  await talker.must("voice:join", { channelId: voice.id });
  talker.close();
  const messages: string[] = [];
  messages.push((await connection.must("message:send", pairwise(dm.id, "mine", partners[0]))).id);
  messages.push((await connection.must("message:send", pairwise(group.id, "mine", ...partners))).id);
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
        ...Array.from({ length: 6 }, () => textChannel(own).id),
        textChannel(shared).id,
        ...Array.from({ length: 4 }, () => voice.id),
        dm.id,
        group.id,
        group.id,
        ...(others["ChannelId"] ?? []),
      ],
      MessageId: [...messages, ...(others["MessageId"] ?? [])],
      HandoffId: [...handoffs.map(({ id }) => id), ...(others["HandoffId"] ?? [])],
      authToken: [vault.authToken],
      "x-vault-token": [vault.authToken],
      code: [invite.code, mine.code],
      ...(await keyPool(person.identity)),
      ...CHOICES,
    },
  };
}

/** Keys, and what the identity has signed of them. */
async function keyPool(identity: Identity): Promise<IdPool> {
  const [signed, kyber] = [await signedPreKey(identity), await kyberPreKey(identity)];
  return {
    identityKey: [identity.publicKey],
    publicKey: [signed.publicKey, kyber.publicKey],
    signature: [signed.signature, kyber.signature],
  };
}

const TALK_MS = 2 * 3_600_000;

/** Someone who talks to a friend all the while, and notices when that stops working. */
export interface Bystander {
  /** Ends the talk. Throws when a message was refused, lost, out of order, or a connection was cut. */
  leave(): Promise<{ readonly roundTrips: number }>;
}

export async function startBystander(place: Place): Promise<Bystander> {
  const [one, friend] = (await enroll(place, 2)) as [Person, Person];
  const channelId = textChannel(await serverWith(place, one, [friend])).id;
  // However long the machine takes over the rest of the file, their tokens do not end.
  const lasting = async (who: Person) => ({ ...who, token: await tokenFor(place, who, TALK_MS) });
  const [speaker, listener]: Connection[] = [
    await connect(place, await lasting(one)),
    await connect(place, await lasting(friend)),
  ];
  if (speaker === undefined || listener === undefined) throw new Error("two connections were made");
  const leaving = new AbortController();
  let roundTrips = 0;
  const talk = (async () => {
    while (!leaving.signal.aborted) {
      const content = `bystander ${roundTrips}`;
      await speaker.must("message:send", { channelId, content, nonce: content });
      await listener.until("message:new", (message) => message.content === content);
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
      return { roundTrips };
    },
  };
}
