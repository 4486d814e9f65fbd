import { readdirSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "@lescopains/protocol/limits";
import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Statement } from "../../edge/src/db/port.ts";
import { channel, CROWD, fill, handoff, message, role, server, session, stay, user, vault } from "./crowd.ts";
import { startGate } from "./gate.ts";
import { planOf, type Value } from "./plan.ts";
import { openPool, type Server, startServer } from "./server.ts";
import { startWsProxy } from "./ws-proxy.ts";

type AnyStatement = Statement<readonly unknown[], unknown>;

/** Every statement that a module of edge/src/db makes, exported or not, is noted here while the module is loaded. */
const made = vi.hoisted((): { readonly name: string; readonly text: string }[] => []);
vi.mock(import("../../edge/src/db/port.ts"), async (importOriginal) => {
  const original = await importOriginal();
  const note = (name: string, text: string): AnyStatement => {
    const statement = { name, text };
    made.push(statement);
    return statement;
  };
  return { ...original, statement: note as typeof original.statement };
});

const FOLDER = join(import.meta.dirname, "../../edge/src/db");
for (const file of readdirSync(FOLDER).toSorted()) {
  if (file.endsWith(".ts") && !file.endsWith(".test.ts")) await import(join(FOLDER, file));
}

interface Case {
  readonly values: readonly Value[];
  /** Rows it may fetch from tables and indexes; for a statement about one thing, a handful. */
  readonly reads?: number;
  /** Tables that it may read from end to end. */
  readonly whole?: readonly string[];
}

/** One row, and as many invites as there may be. */
const SMALL = ["instance", "instance_invites"];

const AFEW = 12;
const fresh = { user: user(900_001), server: server(900_001), channel: channel(900_001), message: message(9_000_001) };
const batch = Array.from({ length: 250 }, (_, k) => k);
const digest = new Uint8Array(32);

/** Every tenth message has a reaction. */
const PAGE_READS = 2 * (LIMITS.historyPage + 1);
/** A message in a group of 25. */
const SEALED_READS = 12 * LIMITS.dmPeople;
function sealed(): Value[] {
  const to = batch.slice(0, 24).map((k) => user(27 + k));
  const group = [channel(CROWD.dm + 20_001), user(2 + 25), 1];
  return [...group, to, to.map(() => 1), to.map(() => 2), to.map(() => "AA=="), [], [], false];
}

/** Values as they come in production, on the largest things there are, for every statement by its name. */
const CASES: Readonly<Record<string, Case>> = {
  // accounts.ts
  "accounts.credentials_by_name": { values: ["user77"] },
  "accounts.credentials_by_id": { values: [user(77)] },
  "accounts.name_taken": { values: ["user77"] },
  "accounts.create": {
    values: [fresh.user, "someone", null, "hash", session(900_001), "Firefox", 604_800, "invite", "code000077", digest],
  },
  "accounts.rehash": { values: [user(77), "hash77", "hash"] },
  "accounts.self": { values: [user(77)] },
  "accounts.patch": { values: [user(77), "Name", true, null] },
  "accounts.change_password": {
    values: [user(1), null, false, null, session(2 * CROWD.users + 1), "hash1", "hash"],
    reads: 4 * LIMITS.sessionsPerUser,
  },
  "accounts.password_link": { values: [digest, 86_400] },
  "accounts.password_link_use": { values: [digest, 86_400, "hash"], reads: 3 * LIMITS.sessionsPerUser },
  "accounts.password_link_last": { values: [user(77)] },
  "accounts.servers": { values: [user(1)], reads: 3 * LIMITS.serversPerUser },
  "accounts.delete": { values: [user(50_000), "hash50000", null] },
  "accounts.seen_by": { values: [user(2), user(1)], reads: 3 * LIMITS.serversPerUser },
  "accounts.totp_pending": { values: [user(77), digest] },
  "accounts.totp_enable": { values: [user(77), digest, 5, [digest, digest]] },
  "accounts.totp_step": { values: [user(77), digest, 5] },
  "accounts.recovery_code": { values: [user(77), digest] },
  "accounts.totp_disable": { values: [user(77)], reads: 40 },

  // instance.ts
  "instance.row": { values: ["open"] },
  "instance.generation": { values: [] },
  "instance.admission": { values: ["invite", "code000077", digest] },
  "instance.claim": { values: [digest, user(77)] },
  "instance.patch": { values: ["Name", "invite", true, "open", user(60_000), "{}"] },
  "instance.invites": { values: [LIMITS.instanceInvites], reads: 2 * LIMITS.instanceInvites },
  "instance.invite_create": {
    values: [user(60_000), "freshcode1", 3_600, null, LIMITS.instanceInvites + 1],
    reads: 3 * LIMITS.instanceInvites,
  },
  "instance.invite_revoke": { values: [user(60_000), "inst000077"] },

  // operators.ts
  "operators.is": { values: [user(60_000)] },
  "operators.accounts": { values: [null, "user3", LIMITS.operatorPage + 1, null], reads: 8 * LIMITS.operatorPage },
  "operators.account": { values: [user(1)], reads: 3 * LIMITS.sessionsPerUser },
  "operators.disable": { values: [user(60_000), user(77)] },
  "operators.enable": { values: [user(60_000), user(59_999)] },
  "operators.promote": { values: [user(60_000), user(77)] },
  "operators.demote": { values: [user(60_000), user(59_998)] },
  "operators.reset_totp": { values: [user(60_000), user(77)], reads: 40 },
  "operators.password_link": { values: [user(60_000), user(77), digest.map(() => 7)] },
  "operators.end_sessions": { values: [user(1)], reads: 3 * LIMITS.sessionsPerUser },
  "operators.servers_owned": { values: [user(1)] },
  "operators.log_action": { values: [user(60_000), "node.drain", "node", null, "{}"] },
  // The catalogue's tables, and of many accounts and servers PostgreSQL's estimate: they are not read.
  "operators.storage": { values: [10], reads: 2_000, whole: ["pg_class", "users", "servers"] },
  "operators.log": { values: [10_000, LIMITS.operatorPage + 1], reads: LIMITS.operatorPage + 1 },

  // sessions.ts
  "sessions.alive": { values: [session(100_000), user(40_001)] },
  // Ended sessions are swept a hundred at a time.
  "sessions.open": {
    values: [session(900_001), user(1), "Firefox", 604_800, LIMITS.sessionsPerUser - 1, "hash1"],
    reads: 4 * LIMITS.sessionsPerUser + 400,
  },
  "sessions.rotate": { values: [session(100_000), 1, 604_800] },
  "sessions.end_reused": { values: [session(100_000), 0] },
  "sessions.end": { values: [session(100_000)] },
  "sessions.end_own": { values: [session(100_000), user(40_001)] },
  "sessions.end_others": { values: [user(1), session(2 * CROWD.users + 1)], reads: 3 * LIMITS.sessionsPerUser },
  "sessions.list": { values: [user(1)], reads: 3 * LIMITS.sessionsPerUser },

  // limits.ts
  "limits.take": { values: ["login:77", 10, 0.2], reads: 30 },
  "limits.give_back": { values: ["login:77", 10] },

  // vaults.ts
  "vaults.of_account": { values: [user(1)] },
  "vaults.lock": { values: [user(1)] },
  "vaults.make": { values: [vault(900_001), user(30_000), digest, null, "AA=="] },
  "vaults.replace": { values: [vault(900_001), user(1), digest, '{"passes":3}', "AA=="] },
  "vaults.seal_root": { values: [vault(1), null, "AA=="] },
  "vaults.write_record": {
    values: [vault(1), "h-000077", 2, "AA==", LIMITS.vaultBytes, LIMITS.vaultRecords],
  },
  "vaults.records_after": {
    values: [vault(1), "h-008000", LIMITS.vaultPage, LIMITS.vaultPageBytes],
    reads: LIMITS.vaultPage + 1,
  },

  // handoffs.ts
  // Ended ones are swept a hundred at a time.
  "handoffs.open": { values: [handoff(900_001), user(40_001), session(100_000), "BQ==", 600], reads: 320 },
  "handoffs.withdraw_surplus": { values: [handoff(1), user(1), LIMITS.handoffsOpen] },
  "handoffs.fill": { values: [handoff(1), user(1), "AA=="] },
  "handoffs.take": { values: [handoff(1), user(1), session(2 * CROWD.users + 1)] },

  // gateway.ts
  account_of_session: { values: [session(100_000), user(40_001)] },
  servers_of_user: { values: [user(1)], reads: 2 * LIMITS.serversPerUser },

  // servers.ts
  server_by_id: { values: [server(1)] },
  create_server: {
    values: [fresh.server, user(1), "Server", role(900_001), "1", fresh.channel, LIMITS.serversPerUser + 1],
    reads: 2 * LIMITS.serversPerUser,
  },
  update_server: { values: [server(1), 1, "Server", user(1)] },
  delete_server: { values: [server(CROWD.servers), 1] },

  // members.ts
  members_of_server: { values: [server(1), user(4_000), LIMITS.membersPage], reads: 3 * LIMITS.membersPage },
  join_server: {
    values: [server(1), 1, "code000077", user(25_000), LIMITS.serversPerUser],
    reads: 3 * LIMITS.invitesPerServer,
  },
  remove_member: { values: [server(1), 1, user(50)], reads: 2 * LIMITS.channelsPerServer },
  set_member_roles: { values: [server(1), 1, user(50), [role(2), role(3)]] },
  ban_member: { values: [server(1), 1, user(50), user(1), "a reason"], reads: 2 * LIMITS.channelsPerServer },
  unban_member: { values: [server(1), 1, user(CROWD.bigServer.members + 5)] },
  bans_of_server: { values: [server(1), LIMITS.membersPage], reads: 3 * LIMITS.membersPage },

  // invites.ts
  create_invite: {
    values: [server(1), 1, "freshcode1", user(1), 3_600, null, LIMITS.invitesPerServer + 1],
    reads: 3 * LIMITS.invitesPerServer,
  },
  invites_of_server: { values: [server(1), LIMITS.invitesPerServer], reads: 2 * LIMITS.invitesPerServer },
  // Counts the members: an index is read for at most as many as a server may have.
  invite_by_code: { values: ["code000077"], reads: LIMITS.membersPerServer },
  server_of_invite: { values: ["code000077"] },
  revoke_invite: { values: [server(1), 1, "code000077"] },

  // roles.ts
  roles_of_server: { values: [server(1)], reads: 2 * LIMITS.rolesPerServer },
  create_role: {
    values: [server(1), 1, role(900_001), "Role", "1", null, 1, batch.map((k) => role(k + 2)), batch.map((k) => k + 2)],
    reads: 3 * LIMITS.rolesPerServer,
  },
  update_role: {
    values: [server(1), 1, role(2), "Role", "1", null, batch.map((k) => role(k + 2)), batch.map((k) => k + 2)],
    reads: 3 * LIMITS.rolesPerServer,
  },
  // Takes the role from all who have it: every member is looked at, once in a role's life.
  delete_role: {
    values: [server(1), 1, role(2)],
    reads: 2 * LIMITS.membersPerServer,
  },

  // channels.ts
  channels_of_server: { values: [server(1)], reads: 2 * LIMITS.channelsPerServer },
  overwrites_of_server: { values: [server(1)], reads: 5 * LIMITS.channelsPerServer },
  server_of_channel: { values: [channel(1)] },
  channel_marks: { values: [user(1)], reads: 5_000 },
  server_marks: { values: [user(1), server(1)], reads: 4 * LIMITS.channelsPerServer },
  marks_of_channel: { values: [user(1), channel(1)] },
  create_channel: { values: [server(1), 1, fresh.channel, "channel", "text", null, false, null, 3] },
  update_channel: {
    values: [server(1), 1, channel(1), "channel", null, false, batch.map((k) => channel(k + 1)), batch],
    reads: 3 * LIMITS.channelsPerServer,
  },
  delete_channel: { values: [server(1), 1, channel(400)] },
  put_overwrite: { values: [server(1), 1, channel(1), role(7), "role", "0", "1"] },
  delete_overwrite: { values: [server(1), 1, channel(1), user(7)] },

  // messages.ts
  channel_by_id: { values: [channel(1)] },
  insert_messages: {
    values: [
      channel(1),
      batch.map((k) => message(9_000_000 + k)),
      batch.map((k) => user(1 + (k % 100))),
      batch.map((k) => `fresh ${k}`),
      batch.map(() => "bonjour"),
      batch.map(() => "text"),
      batch.map(() => null),
      batch.map(() => false),
      batch.map((k) => (k % 2 === 0 ? message(10) : null)),
      batch.map((k) => (k % 2 === 0 ? null : message(10))),
    ],
    reads: 4 * batch.length,
  },
  edit_message: { values: [channel(1), message(500_000), user(1 + ((500_000 * 7_919) % 900)), "edited", null, false] },
  delete_message: { values: [channel(1), message(500_000), user(1), true] },
  history_before: { values: [channel(1), 200_000, LIMITS.historyPage + 1], reads: PAGE_READS },
  history_after: { values: [channel(2), 100_000, LIMITS.historyPage + 1], reads: PAGE_READS },
  changed_since: { values: [channel(1), 399_000, LIMITS.historyPage + 1], reads: PAGE_READS },
  tellable_since: { values: [channel(1), 399_000, 399_050, 500], reads: PAGE_READS },

  // reactions.ts
  "reactions.add": {
    values: [channel(1), message(500_001), user(999), "🎉", LIMITS.reactionKinds, LIMITS.reactions],
    reads: LIMITS.reactions + AFEW,
  },
  "reactions.remove": { values: [channel(1), message(500_001), user(7), "👍"] },
  // A generic plan may read whom the person has blocked once, to look everyone up in it.
  "contacts.reachable": {
    values: [user(1), [user(2), user(300), user(40_000), user(20_030)]],
    reads: 4 * 500 + 2 * LIMITS.blocksPerUser,
  },
  "contacts.partners": { values: [user(1)], reads: 3 * LIMITS.dmsPerUser + 25 * 20 },

  // friends.ts
  "friends.ask": { values: [user(30), user(300), LIMITS.friendsPerUser] },
  "friends.settle": { values: [user(30), user(31)] },
  "friends.is_asked_by": { values: [user(31), user(30)] },
  "friends.part": { values: [user(30), user(31)] },
  "friends.around": { values: [user(1), LIMITS.friendsPerUser], reads: 3 * LIMITS.friendsPerUser },

  // blocks.ts
  "blocks.put": { values: [user(1), user(300), LIMITS.blocksPerUser], reads: LIMITS.blocksPerUser + 20 },
  "blocks.delete": { values: [user(1), user(30_001)] },
  "blocks.ids": { values: [user(1)], reads: LIMITS.blocksPerUser + AFEW },
  "blocks.people": { values: [user(1)], reads: 2 * LIMITS.blocksPerUser + AFEW },

  // devices.ts
  "devices.published": { values: [user(1)] },
  "devices.of_account": { values: [user(1), session(2 * CROWD.users + 1)], reads: 20 },
  "devices.of_session": { values: [user(1), session(2 * CROWD.users + 1)] },
  // A device's one-time keys, envelopes and ciphertexts go with it, each read by its own device alone.
  "devices.publish_device": {
    values: [
      user(1),
      session(2 * CROWD.users + 1),
      1,
      "BQ==",
      "BQ==",
      2,
      "[]",
      "AA==",
      [1, 2],
      2,
      7,
      "Firefox",
      true,
      1,
      "BQ==",
      "AA==",
      1,
      "CA==",
      "AA==",
    ],
    reads: 2 * 800 + 2 * 20_000 + 4 * LIMITS.sessionsPerUser,
  },
  "devices.rename": { values: [user(1), 1, "Safari"] },
  "devices.publish_list": {
    values: [user(1), 1, "BQ==", 2, "[]", "AA==", [1, 2]],
    reads: 4 * LIMITS.sessionsPerUser,
  },

  // prekeys.ts
  "prekeys.add": {
    values: [
      user(1),
      session(2 * CROWD.users + 1),
      1,
      batch.slice(0, 200).map((k) => (k < 100 ? "ec" : "kyber")),
      batch.slice(0, 200).map((k) => 1_000 + k),
      batch.slice(0, 200).map(() => "BQ=="),
      batch.slice(0, 200).map(() => null),
      400,
      1,
      "BQ==",
      "AA==",
      1,
      "CA==",
      "AA==",
    ],
    reads: 3 * 2 * LIMITS.preKeysKept,
  },
  "prekeys.count": { values: [user(1), [1, 2, 3, 4, 5, 6]], reads: 6 * 2 * LIMITS.preKeysKept + 20 },
  "prekeys.claim": { values: [user(1), null], reads: 60 },

  // envelopes.ts
  "envelopes.queue": {
    values: [
      user(3),
      1,
      batch.slice(0, 100).map((k) => user(1 + (k % 50))),
      batch.slice(0, 100).map(() => 1),
      batch.slice(0, 100).map(() => 2),
      batch.slice(0, 100).map(() => "AA=="),
      1_000,
      250,
    ],
    // What each device has waiting is counted.
    reads: 4 * 50 + (100_000 / 19_000) * 50 + LIMITS.envelopesKept + AFEW,
  },
  "envelopes.after": { values: [user(1), 1, 50_000, LIMITS.envelopesPage], reads: LIMITS.envelopesPage },
  "envelopes.drop": { values: [user(1), 1, 10_000], reads: 4 * LIMITS.envelopesPage },

  // dms.ts
  "dms.of_person": { values: [user(1), LIMITS.dmsPerUser], reads: 12 * LIMITS.dmsPerUser },
  "dms.one": { values: [user(1), channel(CROWD.dm + 20_001)], reads: 60 },
  "dms.count": { values: [user(1)], reads: LIMITS.dmsPerUser },
  "dms.find_pair": { values: [user(3), user(2)] },
  "dms.open_pair": { values: [fresh.channel, user(3), user(30_000)] },
  "dms.open_group": { values: [fresh.channel, user(3), batch.slice(0, 24).map((k) => user(100 + k))], reads: 30 },
  "dms.people": { values: [channel(CROWD.dm + 20_001)], reads: 60 },
  "dms.add_person": { values: [channel(CROWD.dm + 20_001), user(19_500)] },
  // What waits for the person in that group.
  "dms.remove_person": { values: [channel(CROWD.dm + 20_001), user(30)], reads: 2 * 101 + 40 },

  // sealed.ts
  "sealed.judge": { values: sealed(), reads: SEALED_READS },
  "sealed.insert": { values: [...sealed(), fresh.message, "fresh", ""], reads: SEALED_READS },
  "sealed.before": { values: [channel(CROWD.dm + 1), 10_000, 101, user(1), 1, 0], reads: 2 * 101 },
  "sealed.after": { values: [channel(CROWD.dm + 1), 10_000, 101, user(1), 1], reads: 2 * 101 },
  "sealed.since": { values: [channel(CROWD.dm + 1), 10_000, 101, user(1), 1, 0], reads: 2 * 101 },
  "sealed.waiting": { values: [channel(CROWD.dm + 1), batch.slice(0, 50).map((k) => k + 1)], reads: 12 * 50 },
  "sealed.received": { values: [channel(CROWD.dm + 20_001), user(30), 1, 19_950], reads: 30 * 51 },
  "sealed.expired": { values: [30, 500], reads: 4 * 500 },

  // voice.ts
  "voice.of_channel": { values: [channel(1)], reads: 3 * LIMITS.voiceMembers },
  // Of everyone in 100 servers and 500 conversations.
  "voice.around": { values: [user(1)], reads: 100 + 500 + 8 * 2 * LIMITS.voiceMembers },
  "voice.of_person": { values: [user(1)] },
  "voice.open": { values: [channel(1), stay(900_001), user(50_000), session(49_999), 1, "node-1", 60], reads: 20 },
  "voice.close": { values: [channel(1), [stay(100_001), stay(100_002)], "left"], reads: LIMITS.voiceMembers + AFEW },
  "voice.flags": { values: [stay(100_001), true, false, false, false] },
  "voice.server_flags": { values: [server(1), user(77), true, false] },
  "voice.place": { values: [stay(100_001), "node-2", 60] },
  "voice.connected": {
    values: [channel(1), [stay(100_001), stay(100_002)], "node-1"],
    reads: LIMITS.voiceMembers + AFEW,
  },
  "voice.node_lost": { values: [channel(1), [stay(100_001), stay(100_002)], 60], reads: LIMITS.voiceMembers + AFEW },
  // Everyone who is in voice now is looked at.
  "voice.due": { values: [["node-1", "node-2"]], reads: 300 },
  "voice.adrift": { values: [], reads: AFEW },
  "voice.on_node": { values: ["node-1"], reads: 2 * LIMITS.voiceMembers },
  "voice.ring": { values: [channel(CROWD.dm + 200), stay(200_020), stay(1), [user(201)], 45], reads: 20 },
  "voice.ring_for": { values: [stay(200_020), stay(1), []] },
  "voice.drop_past": { values: [7, 500], reads: 2 * 500 + AFEW },

  mark_read: { values: [user(1), channel(1), 5] },
};

let postgres: Server;
let pool: Pool;
let crowded: string;
let alike: string;
beforeAll(async () => {
  postgres = await startServer();
  crowded = await postgres.migrated();
  const filling = openPool(crowded);
  await fill(filling);
  await filling.end();
  alike = await postgres.copyOf(crowded);
  pool = openPool(crowded);
}, 300_000);
afterAll(async () => {
  await pool.end();
  await postgres.stop();
}, 60_000);

test("[DB31] names of statements are unique and short enough for PostgreSQL to tell them apart", () => {
  expect(made.length).toBeGreaterThan(50);
  const names = made.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => name.length > 63)).toEqual([]);
});

test("[DB32] every statement of edge/src/db has its plan tested below", () => {
  expect(Object.keys(CASES).toSorted()).toEqual(made.map(({ name }) => name).toSorted());
});

describe.each(["custom", "generic"] as const)("[DB33] with a %s plan, on 1,000,000 messages,", (mode) => {
  test.each(made)(
    "$name reads no whole table, sorts no more than a bounded list, and fetches few rows",
    async (statement) => {
      const { values, reads = AFEW, whole = SMALL } = CASES[statement.name] ?? { values: [] };
      const client = await pool.connect();
      try {
        const { sequential, sorted, examined, outline } = await planOf(client, statement, values, mode);
        expect(
          sequential.filter((table) => !whole.includes(table)),
          outline,
        ).toEqual([]);
        expect(sorted, outline).toBeLessThanOrEqual(LIMITS.invitesPerServer);
        expect(examined, outline).toBeLessThanOrEqual(reads);
      } finally {
        client.release();
      }
    },
  );
});

/** Moments, how long it is until one, and what PostgreSQL takes or thinks of a table differ from run to run. */
function comparable(answer: unknown): unknown {
  const text = JSON.stringify(answer)
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|\+00(?::00)?)/g, "a moment")
    .replaceAll(/_(ms|s|seconds)":-?[\d.]+/g, '_$1":"a time"')
    .replaceAll(/"(databaseBytes|users|servers)":\d+/g, '"$1":"a size"')
    .replaceAll(/"tables":\[.*?\]/g, '"tables":"its largest"');
  const { rows, ...rest } = JSON.parse(text) as { rows?: unknown[] };
  // A statement that asks for no order gets the one in which the rows lie.
  return { ...rest, rows: rows?.map((row) => JSON.stringify(row)).toSorted() };
}

/** What is rolled back leaves its numbers taken: the copy goes on from the same ones. */
async function levelSequences(): Promise<void> {
  const { rows } = await pool.query<{ name: string; last_value: number }>(
    "SELECT format('%I.%I', schemaname, sequencename) AS name, last_value FROM pg_sequences WHERE last_value IS NOT NULL",
  );
  const copy = openPool(alike, 1);
  for (const { name, last_value } of rows) await copy.query("SELECT setval($1::regclass, $2)", [name, last_value]);
  await copy.end();
}

test("[DB34] every statement, one after the other, is answered alike over both drivers", async () => {
  await levelSequences();
  const proxy = await startWsProxy();
  const tcp = await startGate({ DATABASE_URL: crowded, PG_POOL_SIZE: "1" });
  const neon = await startGate({
    DATABASE_URL: alike,
    DATABASE_DRIVER: "neon",
    NEON_PROXY: proxy.url,
    PG_POOL_SIZE: "1",
  });
  let rows = 0;
  for (const { name, text } of made) {
    const { values } = CASES[name] ?? { values: [] };
    const expected = await tcp.query(name, text, values);
    // Cases are made to be rolled back: here some stumble over what others have left, or taken away.
    if (!expected.ok) expect(["unique", "foreign_key"], name).toContain(expected.kind);
    expect(comparable(await neon.query(name, text, values)), name).toEqual(comparable(expected));
    rows += expected.ok ? expected.rows.length : 0;
  }
  expect(rows, "most find something").toBeGreaterThan(made.length);
  await tcp.stop();
  await neon.stop();
  await proxy.stop();
});
