import { createHash, randomUUID } from "node:crypto";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failedVaultTokens } from "../../edge/src/auth/limits.ts";
import { signAccessToken } from "../../edge/src/auth/access-token.ts";
import type { SessionId } from "@lescopains/protocol/ids";
import type { Env } from "../../edge/src/platform/env.ts";
import { enroll, type Person, register } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";
import { call, granted } from "./kit/rest.ts";
import { makeVault, sealed, vaultBody, vaultOf } from "./kit/vault.ts";
import { waitFor } from "./kit/wait.ts";

let place: Place;
beforeAll(async () => {
  place = await startPlace();
});
afterAll(() => place.stop());

async function someone(): Promise<Person> {
  const [person] = await enroll(place, 1);
  if (person === undefined) throw new Error("a person was enrolled");
  return person;
}

/** Another sign-in of the same person. */
async function elsewhere(person: Person): Promise<Person> {
  const sessionId = randomUUID() as SessionId;
  await place.sql.query(
    "INSERT INTO sessions (id, user_id, name, expires_at) VALUES ($1, $2, 'elsewhere', now() + interval '1 day')",
    [sessionId, person.id],
  );
  return { ...person, sessionId, token: await signAccessToken(place.jwtSecret, person.id, sessionId, Date.now()) };
}

const get = ({ token }: Person) => granted(place.url, "getVault", { token });
const put = ({ token }: Person, body: ReturnType<typeof vaultBody>) => call(place.url, "putVault", { token, body });

const granted204 = { status: 204, ok: true };
const refusal = (status: number, code: string) => ({ status, ok: false, error: { code } });
const locked = refusal(403, "vault_locked");
const conflictAt = (version: number) => ({ status: 409, ok: false, error: { code: "conflict", details: { version } } });
const NOTHING = { exists: false, kdf: null, sealedRoot: null, records: 0, bytes: 0 };

/** What the vault's row says, and what its records are. */
async function counted({ id }: Person): Promise<{ said: unknown; is: unknown }> {
  const { rows } = await place.sql.query<Record<string, number>>(
    `SELECT v.records, v.bytes::int, (SELECT count(*)::int FROM vault_records r WHERE r.vault_id = v.id) AS count,
       (SELECT coalesce(sum(octet_length(sealed)), 0)::int FROM vault_records r WHERE r.vault_id = v.id) AS sum
     FROM vaults v WHERE v.user_id = $1`,
    [id],
  );
  const [row] = rows;
  return { said: [row?.["records"], row?.["bytes"]], is: [row?.["count"], row?.["sum"]] };
}

test("[VLT1] a vault is made once, with or without a passphrase; of the token its SHA-256 is kept", async () => {
  const person = await someone();
  expect(await get(person)).toEqual(NOTHING);
  const body = vaultBody(sealed(32));
  expect(await put(person, body)).toMatchObject(granted204);
  const { kdf, sealedRoot } = body;
  expect(await get(person)).toEqual({ exists: true, kdf, sealedRoot, records: 0, bytes: 0 });
  const { rows } = await place.sql.query<{ token_hash: Buffer }>("SELECT token_hash FROM vaults WHERE user_id = $1", [
    person.id,
  ]);
  expect(rows[0]?.token_hash).toEqual(createHash("sha256").update(Buffer.from(body.authToken, "base64")).digest());
  const plain = await someone();
  await granted(place.url, "putVault", { token: plain.token, body: { ...body, kdf: null } });
  expect(await get(plain)).toMatchObject({ exists: true, kdf: null });
});

test("[VLT1] of several vaults that are made at once one is there", async () => {
  const person = await someone();
  const bodies = Array.from({ length: 6 }, () => vaultBody(sealed(32)));
  const answers = await Promise.all(bodies.map((body) => put(person, body)));
  const made = bodies.filter((_, index) => answers[index]?.ok);
  expect(made).toHaveLength(1);
  for (const answer of answers) if (!answer.ok) expect(answer).toMatchObject(refusal(409, "conflict"));
  expect(await get(person)).toMatchObject({ sealedRoot: made[0]?.sealedRoot });
  expect(await vaultOf(place, person, made[0]?.authToken ?? "").page()).toMatchObject({ ok: true });
});

test("[VLT2] every session of the account is shown parameters and root; records take the token too", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  const record = sealed(100);
  expect(await vault.write("identity", 1, record)).toMatchObject(granted204);
  const other = await elsewhere(person);
  expect(await get(other)).toMatchObject({ exists: true, records: 1, bytes: 100 });
  const { token } = other;
  for (const headers of [{}, { "x-vault-token": "" }, { "x-vault-token": "x" }, { "x-vault-token": sealed(33) }]) {
    expect(await call(place.url, "listVaultRecords", { token, headers })).toMatchObject(
      refusal(400, "invalid_request"),
    );
    const write = { token, headers, params: { name: "identity" }, body: { version: 2, sealed: sealed(10) } };
    expect(await call(place.url, "putVaultRecord", write)).toMatchObject(refusal(400, "invalid_request"));
  }
  const forged = vaultOf(place, other, sealed(32));
  expect(await forged.page()).toMatchObject(locked);
  expect(await forged.write("identity", 2, sealed(10))).toMatchObject(locked);
  // Not even the hash, as a dump of the database shows it, is the token.
  const hash = createHash("sha256").update(Buffer.from(vault.authToken, "base64")).digest("base64");
  expect(await vaultOf(place, other, hash).page()).toMatchObject(locked);
  expect(await vault.all()).toEqual(new Map([["identity", { version: 1, sealed: record }]]));
  // Whoever has the token may come from any session.
  expect(await vaultOf(place, other, vault.authToken).page()).toMatchObject({ ok: true });
});

test("[VLT2] an account without a vault is answered like a wrong token", async () => {
  const forged = vaultOf(place, await someone(), sealed(32));
  expect(await forged.page()).toMatchObject(locked);
  expect(await forged.write("identity", 1, sealed(10))).toMatchObject(locked);
});

test("[VLT3] twenty wrong tokens, then one a minute, whatever way they are tried; right ones do not count", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  for (let n = 0; n < 25; n += 1) expect(await vault.page()).toMatchObject({ ok: true });
  const guesses = Array.from({ length: 30 }, (_, n) =>
    n % 3 === 0 ? vault.write("a", 1, sealed(1), sealed(32)) : vault.page({}, sealed(32)),
  );
  const codes = (await Promise.all(guesses)).map((answer) => (answer.ok ? "granted" : answer.error.code));
  expect(codes.filter((code) => code === "vault_locked")).toHaveLength(20);
  expect(codes.filter((code) => code === "rate_limited")).toHaveLength(10);
  const limited = { status: 429, error: { code: "rate_limited", retryAfterMs: expect.any(Number) } };
  expect(await vault.page()).toMatchObject(limited);
  expect(await put(person, vaultBody(sealed(32)))).toMatchObject(limited);
  const bucket = await failedVaultTokens({ JWT_SECRET: place.jwtSecret } as Env, person.id);
  expect(bucket).toMatchObject({ capacity: 20, periodMs: 20 * 60_000 });
  // Others are not held up, and a minute later neither is the owner.
  const other = await someone();
  expect(await (await makeVault(place, other)).page()).toMatchObject({ ok: true });
  await place.sql.query("UPDATE rate_limits SET updated_at = updated_at - interval '61 seconds' WHERE key = $1", [
    bucket.key,
  ]);
  expect(await vault.page()).toMatchObject({ ok: true });
});

test("[VLT4] a write is of the next version; another one is told the present version, the same one again is granted", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  const [first, second, longer] = [sealed(40), sealed(20), sealed(90)];
  expect(await vault.write("h", 2, first)).toMatchObject(conflictAt(0));
  expect(await vault.write("h", 1, first)).toMatchObject(granted204);
  expect(await vault.write("h", 1, first)).toMatchObject(granted204);
  expect(await vault.write("h", 1, second)).toMatchObject(conflictAt(1));
  expect(await vault.write("h", 3, second)).toMatchObject(conflictAt(1));
  expect(await vault.write("h", 2, second)).toMatchObject(granted204);
  expect(await vault.write("h", 1, first)).toMatchObject(conflictAt(2));
  expect(await vault.write("h", 3, longer)).toMatchObject(granted204);
  expect(await vault.all()).toEqual(new Map([["h", { version: 3, sealed: longer }]]));
  expect(await counted(person)).toEqual({ said: [1, 90], is: [1, 90] });
});

test("[VLT4] of several writes of one version at once one holds", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  for (let version = 1; version <= 5; version += 1) {
    const records = Array.from({ length: 8 }, (_, n) => sealed(10 + n));
    const answers = await Promise.all(records.map((record) => vault.write("h", version, record)));
    const held = records.filter((_, n) => answers[n]?.ok);
    expect(held).toHaveLength(1);
    for (const answer of answers) if (!answer.ok) expect(["conflict", "unavailable"]).toContain(answer.error.code);
    expect(await vault.all()).toEqual(new Map([["h", { version, sealed: held[0] }]]));
  }
  const { said, is } = await counted(person);
  expect(said).toEqual(is);
});

test("[VLT5] pages by name, bounded in records and in bytes, lead through all of them once", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  expect(await vault.page()).toMatchObject({ ok: true, value: { records: [], next: null } });
  const names = ["B", "_a", "a", "a-1", "a.1", "a_1", "b", "é", ...Array.from({ length: 12 }, (_, n) => `h-${n}`)];
  const valid = names.filter((name) => /^[A-Za-z0-9]/.test(name)).toSorted();
  for (const name of valid) {
    // Twelve of the largest are more than a page.
    const record = sealed(name.startsWith("h-") ? LIMITS.vaultRecordBytes : 10);
    expect(await vault.write(name, 1, record)).toMatchObject(granted204);
  }
  expect([...(await vault.all()).keys()]).toEqual(valid);
  const first = await vault.page({ after: "h-" });
  if (!first.ok) throw new Error(first.error.code);
  expect(first.value.records).toHaveLength(LIMITS.vaultPageBytes / LIMITS.vaultRecordBytes);
  expect(first.value.next).toBe(first.value.records.at(-1)?.name);
  expect(await vault.page({ limit: "2" })).toMatchObject({
    value: { next: "a", records: [{ name: "B" }, { name: "a" }] },
  });
  expect(await vault.page({ after: "h-9" })).toMatchObject({ value: { next: null, records: [] } });
  expect(await vault.page({ after: "h-8" })).toMatchObject({ value: { next: null, records: [{ name: "h-9" }] } });
  for (const query of [{ limit: "0" }, { limit: "101" }, { limit: "x" }, { after: "../a" }]) {
    expect(await vault.page(query)).toMatchObject(refusal(400, "invalid_request"));
  }
});

test("[VLT6] a vault holds so many bytes and records, however many write at once", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  expect(await vault.write("a", 1, sealed(1_000))).toMatchObject(granted204);
  const set = (column: "bytes" | "records", value: number) =>
    place.sql.query(`UPDATE vaults SET ${column} = $2 WHERE user_id = $1`, [person.id, value]);
  const full = refusal(409, "vault_full");

  await set("bytes", LIMITS.vaultBytes - 250);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => vault.write(`new-${n}`, 1, sealed(100))));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
  for (const answer of answers) if (!answer.ok) expect(answer).toMatchObject(full);
  expect(await get(person)).toMatchObject({ records: 3, bytes: LIMITS.vaultBytes - 50 });
  expect(await vault.write("a", 2, sealed(1_051))).toMatchObject(full);
  expect(await vault.write("a", 7, sealed(1_051))).toMatchObject(conflictAt(1));
  expect(await vault.write("a", 2, sealed(1_050))).toMatchObject(granted204);
  // What gets shorter always fits.
  expect(await vault.write("a", 3, sealed(10))).toMatchObject(granted204);
  expect(await get(person)).toMatchObject({ records: 3, bytes: LIMITS.vaultBytes - 1_040 });

  await set("records", LIMITS.vaultRecords - 1);
  const more = await Promise.all(Array.from({ length: 6 }, (_, n) => vault.write(`more-${n}`, 1, sealed(1))));
  expect(more.filter(({ ok }) => ok)).toHaveLength(1);
  expect(await vault.write("a", 4, sealed(10))).toMatchObject(granted204);
  expect(await vault.all()).toHaveProperty("size", 4);
});

test("[VLT7] with the present token the root is sealed anew, with another one the vault is replaced only by who has the password", async () => {
  const person = await register(place);
  const vault = await makeVault(place, person);
  await vault.write("identity", 1, sealed(10));
  const again = { ...vaultBody(vault.authToken), kdf: null };
  expect(await put(person, again)).toMatchObject(granted204);
  expect(await get(person)).toMatchObject({ kdf: null, sealedRoot: again.sealedRoot, records: 1 });

  const next = vaultBody(sealed(32));
  expect(await put(person, next)).toMatchObject(refusal(409, "conflict"));
  const wrong = { ...next, replace: { password: "not the password" } };
  expect(await put(person, wrong)).toMatchObject(refusal(401, "invalid_credentials"));
  expect(await vault.all()).toHaveProperty("size", 1);
  expect(await put(person, { ...next, replace: { password: person.password } })).toMatchObject(granted204);
  expect(await get(person)).toMatchObject({ sealedRoot: next.sealedRoot, records: 0, bytes: 0 });
  expect(await vault.page()).toMatchObject(locked);
  const replaced = vaultOf(place, person, next.authToken);
  expect(await replaced.all()).toHaveProperty("size", 0);
  expect(
    (
      await place.sql.query(
        "SELECT FROM vault_records WHERE name = 'identity' AND vault_id NOT IN (SELECT id FROM vaults)",
      )
    ).rowCount,
  ).toBe(0);
});

test("[VLT7] no write for the old vault reaches the one that takes its place, and of replacements at once one holds", async () => {
  const person = await register(place);
  const vault = await makeVault(place, person);
  let stop = false;
  let version = 0;
  const writing = (async () => {
    while (!stop) {
      const answers = await Promise.all(["a", "b", "c"].map((name) => vault.write(name, version + 1, sealed(1_000))));
      if (answers.every(({ ok }) => ok)) version += 1;
      else stop = true;
    }
  })();
  await waitFor("something in the old vault", () => version > 0);
  const bodies = [1, 2, 3].map(() => ({ ...vaultBody(sealed(32)), replace: { password: person.password } }));
  const answers = await Promise.all(bodies.map((body) => put(person, body)));
  expect(answers.some(({ ok }) => ok)).toBe(true);
  for (const answer of answers) if (!answer.ok) expect(answer.error.code).toBe("unavailable");
  await writing;
  expect(await get(person)).toMatchObject({ records: 0, bytes: 0 });
  expect(await counted(person)).toEqual({ said: [0, 0], is: [0, 0] });
});

test("[VLT8] another person sees nothing of it, and an ended session neither", async () => {
  const [person, outsider] = [await someone(), await someone()];
  const vault = await makeVault(place, person);
  await vault.write("identity", 1, sealed(10));
  expect(await get(outsider)).toEqual(NOTHING);
  // Even with the stolen token.
  expect(await vaultOf(place, outsider, vault.authToken).page()).toMatchObject(locked);
  expect(await vaultOf(place, outsider, vault.authToken).write("identity", 2, sealed(10))).toMatchObject(locked);
  for (const token of [undefined, "x.y.z"]) {
    const asked = token === undefined ? {} : { token };
    expect(await call(place.url, "getVault", asked)).toMatchObject(refusal(401, "unauthenticated"));
  }
  const other = await elsewhere(person);
  await granted(place.url, "revokeSession", { token: person.token, params: { id: other.sessionId } });
  const ended = refusal(401, "session_revoked");
  expect(await call(place.url, "getVault", { token: other.token })).toMatchObject(ended);
  expect(await put(other, vaultBody(vault.authToken))).toMatchObject(ended);
  expect(await vaultOf(place, other, vault.authToken).page()).toMatchObject(ended);
  expect(await vaultOf(place, other, vault.authToken).write("identity", 2, sealed(10))).toMatchObject(ended);
  expect(await get(person)).toMatchObject({ records: 1, bytes: 10 });
});

test("[VLT9] killed in the middle of writes, each is there as a whole or not at all, and the next try holds", async () => {
  const person = await someone();
  const vault = await makeVault(place, person);
  const names = ["a", "b", "c", "d"];
  for (let version = 1; version <= 6; version += 1) {
    const records = names.map(() => sealed(LIMITS.vaultRecordBytes));
    const writes = names.map((name, n) => vault.write(name, version, records[n] ?? "").catch(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, 6 * version));
    await place.stack.workerd.kill9();
    await Promise.all(writes);
    await place.stack.workerd.restart();
    for (const [name, stored] of await vault.all()) {
      const written = records[names.indexOf(name)];
      expect([version - 1, version]).toContain(stored.version);
      if (stored.version === version) expect(stored.sealed === written).toBe(true);
    }
    for (const [n, name] of names.entries()) {
      expect(await vault.write(name, version, records[n] ?? "")).toMatchObject(granted204);
    }
    const size = [4, 4 * LIMITS.vaultRecordBytes];
    expect(await counted(person)).toEqual({ said: size, is: size });
  }
}, 300_000);

test("[VLT10] it stays when every session has ended, and goes with the account", async () => {
  const person = await register(place);
  const vault = await makeVault(place, person);
  await vault.write("identity", 1, sealed(10));
  await place.sql.query("DELETE FROM sessions WHERE user_id = $1", [person.id]);
  const { accessToken } = await granted(place.url, "login", {
    body: { username: person.username, password: person.password },
  });
  const back = { ...person, token: accessToken };
  expect(await vaultOf(place, back, vault.authToken).all()).toHaveProperty("size", 1);
  await granted(place.url, "deleteSelf", { token: accessToken, body: { password: person.password } });
  const { rows } = await place.sql.query(
    "SELECT FROM vaults WHERE user_id = $1 UNION ALL SELECT FROM vault_records WHERE vault_id NOT IN (SELECT id FROM vaults)",
    [person.id],
  );
  expect(rows).toEqual([]);
});

test("[VLT11] logs and database hold no token, and logs nothing that is sealed", async () => {
  const person = await someone();
  const body = vaultBody(sealed(32));
  await put(person, body);
  const record = sealed(1_000);
  const vault = vaultOf(place, person, body.authToken);
  await vault.write("identity", 1, record);
  await vault.write("identity", 9, record);
  await vault.page({}, sealed(32));
  await vault.page();
  const token = Buffer.from(body.authToken, "base64");
  const hash = createHash("sha256").update(token).digest();
  const log = place.log();
  for (const secret of [
    body.authToken,
    token.toString("hex"),
    hash.toString("hex"),
    hash.toString("base64"),
    body.sealedRoot,
    record.slice(0, 100),
  ]) {
    expect(log).not.toContain(secret);
  }
  expect(log.split("\n").filter((line) => line.includes('"level":"error"'))).toEqual([]);
  const { rows } = await place.sql.query<{ row: string }>(
    "SELECT to_jsonb(v)::text AS row FROM vaults v UNION ALL SELECT to_jsonb(r)::text FROM rate_limits r",
  );
  const dump = rows.map(({ row }) => row).join("\n");
  expect(dump).toContain(hash.toString("hex"));
  expect(dump).not.toContain(token.toString("hex"));
  expect(dump).not.toContain(body.authToken);
});

test("[VLT12] what does not fit is refused, and what is bigger than any record too", async () => {
  const person = await someone();
  const body = vaultBody(sealed(32));
  const kdf = body.kdf ?? undefined;
  if (kdf === undefined) throw new Error("there is a passphrase");
  for (const wrong of [
    { ...body, authToken: sealed(31) },
    { ...body, authToken: body.authToken.replace(/=$/, "") },
    { ...body, sealedRoot: "" },
    { ...body, sealedRoot: sealed(LIMITS.vaultRootBytes + 1) },
    { ...body, kdf: { ...kdf, memoryKib: LIMITS.kdfMemoryKibMin - 1 } },
    { ...body, kdf: { ...kdf, memoryKib: 1e9 } },
    { ...body, kdf: { ...kdf, passes: 2 } },
    { ...body, kdf: { ...kdf, salt: sealed(15) } },
  ]) {
    expect(await put(person, wrong)).toMatchObject(refusal(400, "invalid_request"));
  }
  expect(await get(person)).toEqual(NOTHING);
  const vault = await makeVault(place, person);
  const { token } = person;
  const headers = { "x-vault-token": vault.authToken };
  const writing = (name: string, version: number, record: string) =>
    call(place.url, "putVaultRecord", { token, headers, params: { name }, body: { version, sealed: record } });
  for (const [version, record] of [
    [0, sealed(1)],
    [1.5, sealed(1)],
    [1, ""],
    [1, "not base64"],
    [1, sealed(LIMITS.vaultRecordBytes + 1)],
  ] as const) {
    expect(await writing("a", version, record)).toMatchObject(refusal(400, "invalid_request"));
  }
  for (const name of ["a b", "a/b", "é", "x".repeat(LIMITS.vaultNameLength + 1), "a\u0000"]) {
    expect(await writing(name, 1, sealed(1))).toMatchObject(refusal(404, "not_found"));
  }
  expect(await writing("a", 1, sealed(LIMITS.vaultRecordBodyBytes))).toMatchObject(refusal(413, "too_large"));
  expect(await writing("a", 1, sealed(LIMITS.vaultRecordBytes))).toMatchObject(granted204);
  expect(await get(person)).toMatchObject({ records: 1, bytes: LIMITS.vaultRecordBytes });
});
