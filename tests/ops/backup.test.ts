import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelId } from "@lescopains/protocol/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArchive } from "../../tools/backup/archive.ts";
import { connect, type Connection } from "../flows/kit/connection.ts";
import { anotherSession, type DevicePerson, friends, preKeys } from "../flows/kit/devices.ts";
import { openDm, pairwise, said, words } from "../flows/kit/direct.ts";
import { freshName, type Registered, register, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { granted } from "../flows/kit/rest.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { runTool, startTool } from "./kit/tool.ts";

const BACKUP_PASSPHRASE = "a passphrase of the test";
const canary = `canary-${randomUUID()}`;

/** Everything of this file; `place` keeps its data in it, and the restored one does. */
let folder: string;
let place: Place;
let env: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lescopains-backup-"));
  // PostgreSQL, which is another user when this one is root, has its files inside.
  chmodSync(folder, 0o711);
  env = { DATA_DIR: join(folder, "first"), DATABASE_URL: "", BACKUP_PASSPHRASE };
  place = await startPlace({}, { dataDir: join(folder, "first") });
});
afterAll(async () => {
  await place.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Someone who came through the front door, with the cookie that they got there. */
async function registerWithCookie(): Promise<Registered & { readonly cookie: string }> {
  const username = freshName();
  const password = `the password of ${username}`;
  const response = await fetch(`${place.url}/api/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  const { user, accessToken } = (await response.json()) as { user: { id: Registered["id"] }; accessToken: string };
  const cookie = response.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  return { id: user.id, username, password, token: accessToken, cookie, sessionId: "" as Registered["sessionId"] };
}

/** Fewer frames in a second than count as a flood. */
const PAUSE_MS = 25;

/** Writes one message after the other until told to stop. */
function writeOn(connection: Connection, channelId: ChannelId) {
  const acknowledged: string[] = [];
  const end = new AbortController();
  const running = (async () => {
    while (!end.signal.aborted) {
      const content = `${canary} ${acknowledged.length}`;
      await connection.must("message:send", { channelId, content, nonce: randomUUID() });
      acknowledged.push(content);
      await sleep(PAUSE_MS);
    }
  })();
  const stop = async (): Promise<void> => {
    end.abort();
    await running;
  };
  return { acknowledged, stop };
}

test("[BK1] a restored installation has the same logins, messages, ciphertexts and keys, and goes on from there", async () => {
  const owner = await registerWithCookie();
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const server = await serverWith(place, owner, [ada]);
  const channelId = textChannel(server).id;
  const dm = await openDm(place, ada, bob);
  const at = await connect(place, ada);
  await at.must("message:send", pairwise(dm.id, "sealed", bob));
  await at.must("keys:send", { messages: [{ toUserId: bob.id, toDeviceId: 1, type: 2, body: "AAAA" }] });
  const devices = await granted(place.url, "listDevices", { token: bob.token });

  const writer = writeOn(at, channelId);
  await waitFor("some messages", () => writer.acknowledged.length > 50);
  const before = [...writer.acknowledged];
  const file = join(folder, "first.age");
  const made = await runTool("backup", [file], env);
  await writer.stop();
  expect(made).toMatchObject({ code: 0, output: expect.stringContaining("and the secrets to") });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file).includes(canary), "plaintext in the file").toBe(false);
  const lastId = Number((await place.sql.query("SELECT last_value AS id FROM envelopes_id_seq")).rows[0].id);
  at.close();

  const into = { ...env, DATA_DIR: join(folder, "second") };
  expect(await runTool("restore", [file], into)).toMatchObject({ code: 0 });
  const restored = await startPlace({}, { dataDir: join(folder, "second") });
  try {
    const body = { username: owner.username, password: owner.password };
    expect(await granted(restored.url, "login", { body })).toMatchObject({ user: { id: owner.id } });
    expect(await granted(restored.url, "getSelf", { token: owner.token })).toMatchObject({ id: owner.id });
    const refreshed = await fetch(`${restored.url}/api/auth/refresh`, {
      method: "POST",
      headers: { cookie: owner.cookie, origin: restored.url },
    });
    expect(refreshed.status).toBe(200);

    const { rows } = await restored.sql.query("SELECT content FROM messages WHERE channel_id = $1 ORDER BY seq", [
      channelId,
    ]);
    const contents = rows.map(({ content }) => content);
    expect(contents.slice(0, before.length)).toEqual(before);
    // What was written meanwhile is there up to one moment, without a hole.
    expect(contents).toEqual(writer.acknowledged.slice(0, contents.length));

    const back = await connect(restored, bob);
    const waiting = await granted(restored.url, "listMessages", { token: bob.token, params: { id: dm.id } });
    expect(waiting.messages.map(words)).toEqual([`sealed for ${bob.id} 1`]);
    expect(await back.until("keys:received")).toMatchObject({ messages: [{ fromUserId: ada.id, body: "AAAA" }] });
    const { generation, ...restoredDevices } = await granted(restored.url, "listDevices", { token: bob.token });
    expect({ ...restoredDevices, generation: devices.generation }).toEqual(devices);
    expect(generation).not.toBe(devices.generation);

    const again = await connect(restored, ada);
    await again.must("message:send", pairwise(dm.id, "later", bob));
    await waitFor("the next message", () => said(back, dm.id).length > 0);
    await again.must("keys:send", { messages: [{ toUserId: bob.id, toDeviceId: 1, type: 2, body: "AAAB" }] });
    const next = await back.until("keys:received", ({ messages }) =>
      messages.some(({ body: text }) => text === "AAAB"),
    );
    expect(next.messages.at(-1)?.id).toBeGreaterThan(lastId);
    back.close();
    again.close();
  } finally {
    await restored.stop();
  }
});

test("[BK8] what was given out between a backup and its restoration is never given out again, and who was signed in stays so", async () => {
  const owner = await registerWithCookie();
  const [ada, bob] = (await friends(place, 2)) as [DevicePerson, DevicePerson];
  const channelId = textChannel(await serverWith(place, owner, [ada, bob])).id;
  const dm = await openDm(place, ada, bob);
  await granted(place.url, "addPreKeys", {
    token: bob.token,
    body: { deviceId: 1, preKeys: preKeys(1, 3), kyberPreKeys: [] },
  });
  const at = await connect(place, ada);
  const writes = { channelId, content: "before", nonce: "before" };
  const { seq: before } = await at.must("message:send", writes);
  await at.must("read:mark", { channelId, seq: before });
  const ready = await at.until("ready");
  const file = join(folder, "eighth.age");
  expect(await runTool("backup", [file], env)).toMatchObject({ code: 0 });

  const lost = await at.must("message:send", { ...writes, content: "after", nonce: "after" });
  const lostDm = await at.must("message:send", pairwise(dm.id, "after", bob));
  const claimed = await granted(place.url, "claimKeys", { token: ada.token, params: { id: bob.id } });
  const later = await anotherSession(place, ada);
  const refreshed = await fetch(`${place.url}/api/auth/refresh`, { method: "POST", headers: { cookie: owner.cookie } });
  const cookie = refreshed.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  at.close();

  expect(await runTool("restore", [file], { ...env, DATA_DIR: join(folder, "eighth") })).toMatchObject({ code: 0 });
  const restored = await startPlace({}, { dataDir: join(folder, "eighth") });
  try {
    const back = await connect(restored, ada);
    const now = await back.until("ready");
    expect(now.generation).not.toBe(ready.generation);
    const marks = now.servers.flatMap(({ channels }) => channels).find(({ id }) => id === channelId);
    expect(marks?.messageSeq).toBe(before);
    expect(marks?.readSeq, "what was read is").toBe(marks?.lastSeq);
    // Cursors of pages that were open all the while, in a channel and in a direct conversation.
    const cursors = { [channelId]: lost.seq, [dm.id]: lostDm.seq };
    expect((await back.must("sync", { channels: cursors })).channels[channelId]?.messages).toEqual([]);
    const next = await back.must("message:send", { ...writes, content: "again", nonce: "after" });
    expect(next.id).not.toBe(lost.id);
    const nextDm = await back.must("message:send", pairwise(dm.id, "again", bob));
    const { channels } = await back.must("sync", { channels: cursors });
    expect(channels[channelId]?.messages.map(({ id }) => id)).toEqual([next.id]);
    expect(channels[dm.id]?.messages.map(({ id }) => id)).toEqual([nextDm.id]);

    const again = await granted(restored.url, "claimKeys", { token: ada.token, params: { id: bob.id } });
    expect(claimed.bundles[0]?.preKey).not.toBeNull();
    expect(again.bundles[0]?.preKey).toBeNull();
    expect(again.bundles[0]?.signedPreKey).toEqual(claimed.bundles[0]?.signedPreKey);
    const stranger = await fetch(`${restored.url}/api/users/@me`, {
      headers: { authorization: `Bearer ${later.token}` },
    });
    expect(await stranger.json()).toMatchObject({ error: { code: "session_revoked" } });
    const refresh = await fetch(`${restored.url}/api/auth/refresh`, { method: "POST", headers: { cookie } });
    expect(refresh.status).toBe(200);
    back.close();
  } finally {
    await restored.stop();
  }
});

test("[BK2] what runs, or has accounts, is not restored over; another passphrase opens nothing; and nothing is touched", async () => {
  await register(place);
  const file = join(folder, "second.age");
  await runTool("backup", [file], env);
  const accounts = async () => (await place.sql.query("SELECT count(*) AS n FROM users")).rows[0].n;
  const there = await accounts();
  const wrong = await runTool("restore", [file, "--replace"], {
    ...env,
    BACKUP_PASSPHRASE: "quite another passphrase",
  });
  expect(wrong).toEqual({ code: 1, output: expect.stringContaining("The passphrase does not open") });
  const running = await runTool("restore", [file, "--replace"], env);
  expect(running).toEqual({ code: 1, output: expect.stringContaining("already runs") });
  // A database of somebody's own has no lock file: the edge's connections tell, which come and go.
  const elsewhere = { ...env, DATA_DIR: join(folder, "third"), DATABASE_URL: place.stack.databaseUrl };
  const restoring = startTool("restore", [file, "--replace"], elsewhere);
  const asked = setInterval(() => void fetch(`${place.url}/health`), 1_000);
  const connected = await restoring.ended;
  clearInterval(asked);
  expect(connected).toEqual({ code: 1, output: expect.stringContaining("stop it, then restore") });
  const occupied = await runTool("restore", [file], elsewhere);
  expect(occupied).toEqual({ code: 1, output: expect.stringContaining(`There are ${there} accounts`) });
  expect(await accounts()).toBe(there);
});

test("[BK3] a backup that is killed leaves nothing that could be taken for one; one of before stays", async () => {
  const backups = mkdtempSync(join(folder, "backups-"));
  expect(await runTool("backup", [backups, "--keep", "2"], env)).toMatchObject({ code: 0 });
  const kept = readdirSync(backups).filter((name) => name.endsWith(".age"));
  // It waits in the middle, for messages.
  const holding = await place.sql.connect();
  await holding.query("BEGIN; LOCK TABLE messages");
  const killed = startTool("backup", [backups, "--keep", "1"], env);
  await waitFor("its file", () => readdirSync(backups).some((name) => name.endsWith(".part")));
  killed.kill("SIGKILL");
  await killed.ended;
  await holding.query("ROLLBACK");
  holding.release();
  expect(readdirSync(backups).filter((name) => name.endsWith(".age"))).toEqual(kept);
  const [whole = ""] = kept;
  const names: string[] = [];
  for await (const { name } of readArchive(join(backups, whole), BACKUP_PASSPHRASE)) names.push(name);
  expect(names.at(0)).toBe("manifest.json");
  expect(names.at(-1)).toBe("end.json");
  expect(readFileSync(join(backups, "lescopains_backup.prom"), "utf8")).toMatch(
    /^lescopains_backup_last_success_timestamp_seconds \d{10}$/m,
  );
});
