import { be32, concat, equal, utf8, wipe } from "@lescopains/e2ee/bytes";
import { ProtocolError } from "@lescopains/e2ee/errors";
import { hkdf, hmac } from "@lescopains/e2ee/primitives/kdf";
import {
  type Argon2id,
  type Argon2idParameters,
  derivePassphraseKeys,
  newPassphraseParameters,
  openRecoveryKey,
  sealRecoveryKey,
} from "@lescopains/e2ee/vault/passphrase";
import { openRecord, sealRecord } from "@lescopains/e2ee/vault/record";
import {
  formatRecoveryKey,
  generateRecoveryKey,
  type ParsedRecoveryKey,
  parseRecoveryKey,
} from "@lescopains/e2ee/vault/recovery-key";
import { deriveVaultKeys, type VaultKeys } from "@lescopains/e2ee/vault/vault-keys";
import { type Vault as ServerVault, VaultConflict } from "@lescopains/protocol/vault";
import * as v from "valibot";
import { ApiError } from "../net/api-error.ts";
import { singleFlight } from "../sync/single-flight.ts";
import { fromBase64, toBase64, toBase64Url, uuidBytes } from "./base64.ts";
import { bucketRange } from "./history.ts";
import { asRefusal, type Kit, refusal } from "./kit.ts";
import { KeysError, type KeyProblem, type KeysRefusal, type VaultState } from "./port.ts";
import { codecs, KEY, PeerRecord, RowRecord, type VaultRecord } from "./records.ts";
import { bytesCodec, jsonCodec } from "./store/codec.ts";
import type { Row, Unit } from "./store/store.ts";
import { markAll } from "./unsaved.ts";
import { ChannelId, Seq } from "@lescopains/protocol/ids";

/** What a sealed record holds. */
const VaultContent = v.variant("kind", [
  v.object({ kind: v.literal("identity"), identity: v.string() }),
  v.object({ kind: v.literal("peers"), peers: v.array(PeerRecord) }),
  v.object({
    kind: v.literal("rows"),
    rows: v.array(
      v.object({ channelId: ChannelId, seq: Seq, mine: v.boolean(), shown: v.boolean(), value: RowRecord }),
    ),
  }),
]);
export type VaultContent = v.InferOutput<typeof VaultContent>;
const contentCodec = jsonCodec(VaultContent);

/** A record's content before it is padded and sealed: what the server takes, less what padding may add. */
const CONTENT_BYTES = 100_000;
/** What was written in quick succession is saved together. */
const SAVE_AFTER_MS = 3_000;
/** What goes on changing is saved this long after it began to. */
const SAVE_LATEST_MS = 15_000;
const SAVE_AGAIN_MS = 30_000;
const NAMES_INFO = utf8("LesCopains vault 1 record names");
const CHECK_NAME = "root";

/** What a recovery key opens, with what names are made of. */
interface OpenVault extends VaultKeys {
  readonly token: string;
  readonly nameOf: (text: string) => string;
}

/** A record of the vault, opened. */
export interface ReadRecord {
  readonly name: string;
  readonly version: number;
  readonly content: VaultContent;
}

export interface Vault {
  readonly state: () => Promise<VaultState>;
  readonly create: (passphrase: string | null) => Promise<string>;
  readonly show: () => Promise<string>;
  readonly confirm: (text: string) => Promise<KeyProblem | null>;
  readonly setPassphrase: (passphrase: string | null) => Promise<void>;
  readonly replace: (password: string, passphrase: string | null) => Promise<string>;
  /** The recovery key that a text or a passphrase stands for, if it opens this account's vault. */
  readonly unlock: (by: { readonly recoveryKey: string } | { readonly passphrase: string }) => Promise<Uint8Array>;
  /** Every record, a page at a time. */
  readonly read: (
    recoveryKey: Uint8Array,
    take: (records: readonly ReadRecord[], done: number, total: number) => Promise<void>,
  ) => Promise<void>;
  /** Keeps a key that opens the vault: this browser saves to it from now on. */
  readonly adopt: (unit: Unit, recoveryKey: Uint8Array) => void;
  /** Something changed: it is saved soon. */
  readonly wake: () => void;
  /** Saves all that waits. */
  readonly run: () => Promise<void>;
  readonly close: () => void;
}

export function problemOf(text: string): KeyProblem | null {
  const parsed = parseRecoveryKey(text);
  return parsed.ok ? null : problemIn(parsed);
}

function problemIn(parsed: Extract<ParsedRecoveryKey, { readonly ok: false }>): KeyProblem {
  if (parsed.reason === "character") return { kind: "character", at: parsed.at };
  return parsed.reason === "length" ? { kind: "length", count: parsed.count } : { kind: "checksum" };
}

export function createVault(kit: Kit, argon2id: Argon2id): Vault {
  const account = uuidBytes(kit.selfId);
  const lock = `lescopains:vault:${kit.selfId}`;
  let failure: KeysRefusal | null = null;
  let cancel: (() => void) | undefined;
  /** When the first thing changed that is not saved. */
  let sinceMs: number | undefined;
  let closed = false;

  async function openVault(recoveryKey: Uint8Array): Promise<OpenVault> {
    const keys = await deriveVaultKeys(kit.subtle, recoveryKey, account);
    const nameKey = hkdf(recoveryKey, account, NAMES_INFO, 32);
    return {
      ...keys,
      token: toBase64(keys.authenticationToken),
      nameOf: (text) => `r${toBase64Url(hmac(nameKey, utf8(text)).subarray(0, 21))}`,
    };
  }

  function checkPlace() {
    return { accountId: account, name: CHECK_NAME, version: 1n };
  }

  /** be32(length) ‖ a record that opens with the right key alone ‖ the key, locked with the passphrase, if there is one. */
  async function sealRoot(recoveryKey: Uint8Array, open: OpenVault, passphrase: string | null) {
    const check = await sealRecord(kit.platform.random, open.wrappingKey, checkPlace(), new Uint8Array(0));
    const head = concat(be32(check.length), check);
    if (passphrase === null) return { kdf: null, sealedRoot: toBase64(head) };
    const parameters = newPassphraseParameters(kit.platform.random);
    const keys = await passphraseKeys(parameters, passphrase);
    const sealing = { random: kit.platform.random, subtle: kit.subtle as never };
    const envelope = await sealRecoveryKey(sealing, keys, account, recoveryKey);
    const { memoryKiB, iterations, parallelism, salt } = parameters;
    const kdf = { memoryKib: memoryKiB, passes: iterations, parallelism, salt: toBase64(salt) };
    return { kdf, sealedRoot: toBase64(concat(head, envelope)) };
  }

  async function passphraseKeys(parameters: Argon2idParameters, passphrase: string) {
    try {
      return await derivePassphraseKeys(argon2id, parameters, passphrase, account);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw refusal(error.code === "wrong_passphrase" ? "wrong_passphrase" : "vault_damaged", error.message);
    }
  }

  function rootOf({ sealedRoot }: ServerVault): { readonly check: Uint8Array; readonly envelope: Uint8Array } {
    const bytes = fromBase64(sealedRoot ?? "");
    const length = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (length === 0 || length > bytes.length - 4) throw refusal("vault_damaged", "the vault's root is none");
    return { check: bytes.subarray(4, 4 + length), envelope: bytes.subarray(4 + length) };
  }

  async function opens(vault: ServerVault, open: OpenVault): Promise<boolean> {
    try {
      await openRecord(open.wrappingKey, checkPlace(), rootOf(vault).check);
      return true;
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
  }

  async function kept(): Promise<{ readonly key: Uint8Array; readonly record: VaultRecord } | undefined> {
    return await kit.store.exclusive(async (unit) => {
      const key = await unit.get(KEY.recoveryKey, bytesCodec);
      const record = await unit.get(KEY.vault, codecs.vault);
      return key === undefined || record === undefined ? undefined : { key, record };
    });
  }

  /** The key that opens the vault; asks the server first when it may be the one of a replacement. @throws KeysError `no_vault` */
  async function opening() {
    const next = await kit.store.exclusive((unit) => unit.get(KEY.nextVault, codecs.nextVault));
    if (next !== undefined) await kit.locks.exclusive(lock, usable);
    return await needed();
  }

  async function needed() {
    const have = await kept();
    if (have === undefined || have.record.locked) throw refusal("no_vault", "this browser has no key of a vault");
    return have;
  }

  function adopt(unit: Unit, recoveryKey: Uint8Array, passphrase = false): void {
    unit.put(KEY.recoveryKey, bytesCodec, recoveryKey);
    const tag = toBase64Url(kit.platform.random(6));
    const record = { confirmed: false, passphrase, locked: false, savedAtMs: null, tag, versions: {} };
    unit.put(KEY.vault, codecs.vault, record);
    unit.drop(KEY.nextVault);
    unit.put(KEY.dirty("identity"), codecs.count, kit.mark());
    unit.put(KEY.dirty("peers"), codecs.count, kit.mark());
  }

  async function drop(...keys: readonly string[]): Promise<void> {
    await kit.store.exclusive(async (unit) => {
      for (const key of keys) unit.drop(key);
      await unit.commit();
    });
  }

  async function tellState(): Promise<void> {
    kit.share({ kind: "vault" });
    kit.tell("vault", await state());
  }

  async function state(): Promise<VaultState> {
    const have = await kept();
    if (have?.record.locked === false) {
      const waiting = await kit.store.exclusive(async (unit) => (await unit.keys("dirty/")).length);
      const { passphrase, confirmed, savedAtMs } = have.record;
      return { kind: "on", passphrase, confirmed, waiting, savedAtMs, failure };
    }
    const vault = await kit.server.call("getVault");
    return vault.exists ? { kind: "locked", passphrase: vault.kdf !== null } : { kind: "none" };
  }

  /** Makes a vault. Its key is kept before the server hears of it, beside the one before, until the server's answer is known. */
  async function make(passphrase: string | null, password: string | undefined): Promise<string> {
    const recoveryKey = generateRecoveryKey(kit.platform.random);
    const open = await openVault(recoveryKey);
    const root = await sealRoot(recoveryKey, open, passphrase);
    const body = { authToken: open.token, ...root };
    // Alone: who saves meanwhile would find no vault yet, and make it without the passphrase.
    await kit.locks.exclusive(lock, async () => {
      if (password === undefined) {
        // Another tab may have made one since.
        const has = (await kept())?.record.locked === false || (await kit.server.call("getVault")).exists;
        if (has) throw refusal("vault_exists", "there is a vault already");
        await keepNew(recoveryKey, passphrase !== null);
        await orDropped([KEY.recoveryKey, KEY.vault], kit.server.call("putVault", { body }));
        return;
      }
      // An earlier replacement whose answer was lost may hold: its key must not go with this one.
      await usable();
      await kit.store.exclusive(async (unit) => {
        const next = { key: toBase64(recoveryKey), passphrase: passphrase !== null };
        unit.put(KEY.nextVault, codecs.nextVault, next);
        await unit.commit();
      });
      const replaced = kit.server.call("putVault", { body: { ...body, replace: { password } } });
      await orDropped([KEY.nextVault], passwordConfirmed(replaced));
      await keepNew(recoveryKey, passphrase !== null);
    });
    // Told with the first save: the key is to be shown before a page that says "saved" takes its place.
    later(0);
    return formatRecoveryKey(recoveryKey);
  }

  /** What the server has refused for good is nowhere; after any other failure it may have been done. */
  async function orDropped<T>(keys: readonly string[], answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const refused = error instanceof KeysError || (error instanceof ApiError && !error.retry);
      if (refused) await drop(...keys);
      throw error;
    }
  }

  async function keepNew(recoveryKey: Uint8Array, passphrase: boolean): Promise<void> {
    await kit.store.exclusive(async (unit) => {
      adopt(unit, recoveryKey, passphrase);
      await markAll(kit, unit);
      await unit.commit();
    });
  }

  function wake(): void {
    sinceMs ??= kit.clock.now();
    later(Math.max(0, Math.min(SAVE_AFTER_MS, sinceMs + SAVE_LATEST_MS - kit.clock.now())));
  }

  function later(delayMs: number): void {
    if (closed) return;
    cancel?.();
    cancel = kit.clock.after(delayMs, () => void run());
  }

  const run = singleFlight(async () => {
    cancel?.();
    sinceMs = undefined;
    if (closed || !kit.connected()) return;
    const has = await kit.store
      .exclusive(async (unit) => [await unit.keys(KEY.recoveryKey), await unit.keys(KEY.nextVault)].flat().length > 0)
      .catch(() => false);
    if (!has) return;
    try {
      let saved = false;
      await kit.locks.ifFree(lock, async () => {
        saved = true;
        const open = await usable();
        if (open !== undefined) await saveAll(open);
      });
      if (!saved) {
        // Another tab saves, perhaps not what has just changed here.
        wake();
        return;
      }
      failure = null;
    } catch (error) {
      failure = asRefusal(error);
      if (failure.server !== "vault_full") later(failure.retryAfterMs ?? SAVE_AGAIN_MS);
    }
    await tellState().catch(() => undefined);
  });

  async function saveAll(open: OpenVault): Promise<void> {
    for (;;) {
      const next = await kit.store.exclusive(async (unit) => {
        const [key] = await unit.keys("dirty/");
        return key === undefined ? undefined : { key, mark: await unit.get(key, codecs.count) };
      });
      if (next === undefined || closed) return;
      const name = next.key.slice("dirty/".length);
      const contents = await contentsOf(name);
      for (const [index, content] of contents.entries()) await save(open, `${name}/${index}`, content);
      if (name.startsWith("row/")) await emptyReplaced(open, name, contents.length);
      await kit.store.exclusive(async (unit) => {
        // What changed while it was saved is saved again.
        if ((await unit.get(next.key, codecs.count)) === next.mark) unit.drop(next.key);
        const record = await unit.get(KEY.vault, codecs.vault);
        if (record !== undefined) unit.put(KEY.vault, codecs.vault, { ...record, savedAtMs: kit.clock.now() });
        await unit.commit();
      });
    }
  }

  /**
   * What the server's vault is opened with, found by opening it, whatever the server says of it: a replacement whose answer was lost holds
   * when its key opens it; a vault that no key here opens is `locked`, and the keys stay. A vault that was to be made is made now.
   */
  async function usable(): Promise<OpenVault | undefined> {
    const vault = await kit.server.call("getVault");
    const next = await kit.store.exclusive((unit) => unit.get(KEY.nextVault, codecs.nextVault));
    if (next !== undefined && vault.exists) {
      const key = fromBase64(next.key);
      const open = await openVault(key);
      if (await opens(vault, open)) {
        await keepNew(key, next.passphrase);
        return open;
      }
    }
    const have = await kept();
    if (have === undefined) return undefined;
    const open = await openVault(have.key);
    if (!vault.exists) {
      await makeAgain(have.key, open);
      return open;
    }
    const locked = !(await opens(vault, open));
    if (locked !== have.record.locked) await changeRecord((record) => ({ ...record, locked }));
    return locked ? undefined : open;
  }

  /** The answer was lost, or the tab closed, before there was one. */
  async function makeAgain(recoveryKey: Uint8Array, open: OpenVault): Promise<void> {
    await kit.server.call("putVault", {
      body: { authToken: open.token, ...(await sealRoot(recoveryKey, open, null)) },
    });
    await kit.store.exclusive(async (unit) => {
      const record = await unit.get(KEY.vault, codecs.vault);
      if (record === undefined) return;
      unit.put(KEY.vault, codecs.vault, { ...record, passphrase: false, locked: false, versions: {} });
      await markAll(kit, unit);
      await unit.commit();
    });
  }

  /** Reads and writes under one lock: two changes at once are both kept. */
  async function changeRecord(change: (record: VaultRecord) => VaultRecord): Promise<void> {
    await kit.store.exclusive(async (unit) => {
      const record = await unit.get(KEY.vault, codecs.vault);
      if (record !== undefined) unit.put(KEY.vault, codecs.vault, change(record));
      await unit.commit();
    });
  }

  async function contentsOf(name: string): Promise<VaultContent[]> {
    if (name === "identity") {
      const identity = await kit.store.exclusive((unit) => unit.get(KEY.identity, bytesCodec));
      return identity === undefined ? [] : [{ kind: "identity", identity: toBase64(identity) }];
    }
    if (name === "peers") {
      return await kit.store.exclusive(async (unit) => {
        const peers: PeerRecord[] = [];
        for (const key of await unit.keys("peer/")) {
          const peer = await unit.get(key, codecs.peer);
          if (peer !== undefined && peer.userId !== kit.selfId) peers.push(peer);
        }
        return split(peers, (part) => ({ kind: "peers", peers: part }));
      });
    }
    const { channelId, from, to } = bucketRange(name.slice("row/".length));
    const rows = await kit.store.rows(channelId, from, to);
    return split(rows.map(savedRow), (part) => ({ kind: "rows", rows: part }));
  }

  /** What stood in more parts before, or in records of other devices, stands in what was just saved: its words, deleted or not, go. */
  async function emptyReplaced(open: OpenVault, name: string, parts: number): Promise<void> {
    const { record } = await needed();
    const empty: VaultContent = { kind: "rows", rows: [] };
    for (let index = parts; ; index += 1) {
      const text = `${name}/${index}`;
      if (record.versions[open.nameOf(`${record.tag}/${text}`)] === undefined) break;
      await save(open, text, empty);
    }
    const key = KEY.origins(name.slice("row/".length));
    const origins = await kit.store.exclusive((unit) => unit.get(key, codecs.origins));
    for (const { name: of, version } of origins ?? []) {
      try {
        await put(open, of, version + 1, empty);
      } catch (error) {
        // Its device has written it since: it has what there is to know.
        if (!(error instanceof ApiError) || error.code !== "conflict") throw error;
      }
    }
    if (origins !== undefined) await drop(key);
  }

  async function put(open: OpenVault, name: string, version: number, content: VaultContent): Promise<void> {
    const bytes = contentCodec.encode(content);
    const place = { accountId: account, name, version: BigInt(version) };
    const sealed = toBase64(await sealRecord(kit.platform.random, open.wrappingKey, place, bytes));
    wipe(bytes);
    const headers = { "x-vault-token": open.token };
    await kit.server.call("putVaultRecord", { params: { name }, headers, body: { version, sealed } });
  }

  async function save(open: OpenVault, text: string, content: VaultContent): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const { record } = await needed();
      // Each browser writes records of its own: two never fight over one.
      const name = open.nameOf(`${record.tag}/${text}`);
      const version = (record.versions[name] ?? 0) + 1;
      let written = version;
      try {
        await put(open, name, version, content);
      } catch (error) {
        const conflict = error instanceof ApiError && error.code === "conflict" && tries < 3;
        const present = conflict ? v.safeParse(VaultConflict, error.details) : undefined;
        if (present?.success !== true) throw error;
        written = present.output.version;
      }
      await changeRecord((now) => ({ ...now, versions: { ...now.versions, [name]: written } }));
      if (written === version) return;
    }
  }

  return {
    state,
    create: async (passphrase) => await make(passphrase, undefined),
    show: async () => formatRecoveryKey((await opening()).key),
    async confirm(text) {
      const parsed = parseRecoveryKey(text);
      if (!parsed.ok) return problemIn(parsed);
      const { key } = await opening();
      if (!equal(parsed.key, key)) return { kind: "other" };
      await changeRecord((record) => ({ ...record, confirmed: true }));
      await tellState();
      return null;
    },
    async setPassphrase(passphrase) {
      const { key } = await opening();
      const open = await openVault(key);
      await kit.server.call("putVault", {
        body: { authToken: open.token, ...(await sealRoot(key, open, passphrase)) },
      });
      await changeRecord((record) => ({ ...record, passphrase: passphrase !== null }));
      await tellState();
    },
    replace: async (password, passphrase) => await make(passphrase, password),
    async unlock(by) {
      // What is no key is told before the server is asked.
      const keyOrPhrase = "recoveryKey" in by ? typedKey(by.recoveryKey) : by.passphrase;
      const vault = await kit.server.call("getVault");
      if (!vault.exists) throw refusal("no_vault", "the account has no vault");
      const key = typeof keyOrPhrase === "string" ? await keyOfPassphrase(vault, keyOrPhrase) : keyOrPhrase;
      if (await opens(vault, await openVault(key))) return key;
      const message = "the key is another vault's";
      throw "recoveryKey" in by
        ? new KeysError({ code: "wrong_key", message, problem: { kind: "other" } })
        : refusal("vault_damaged", message);
    },
    async read(recoveryKey, take) {
      const open = await openVault(recoveryKey);
      const { records: total } = await kit.server.call("getVault");
      let after: string | undefined;
      let done = 0;
      for (;;) {
        const headers = { "x-vault-token": open.token };
        const page = await kit.server.call("listVaultRecords", { headers, query: { after } });
        const records = await Promise.all(
          page.records.map(async ({ name, version, sealed }) => {
            const place = { accountId: account, name, version: BigInt(version) };
            const content = contentCodec.decode(await openRecord(open.wrappingKey, place, fromBase64(sealed)));
            return { name, version, content };
          }),
        ).catch((error: unknown) => {
          throw new KeysError({ code: "vault_damaged", message: "a record cannot be opened" }, { cause: error });
        });
        done += records.length;
        await take(records, done, Math.max(total, done));
        if (page.next === null) return;
        after = page.next;
      }
    },
    adopt,
    wake,
    run,
    close() {
      closed = true;
      cancel?.();
    },
  };

  async function keyOfPassphrase(vault: ServerVault, passphrase: string): Promise<Uint8Array> {
    if (vault.kdf === null) throw refusal("wrong_passphrase", "the vault has no passphrase");
    const { memoryKib, passes, parallelism, salt } = vault.kdf;
    const parameters = { memoryKiB: memoryKib, iterations: passes, parallelism, salt: fromBase64(salt) };
    const keys = await passphraseKeys(parameters, passphrase);
    try {
      return await openRecoveryKey({ subtle: kit.subtle }, keys, account, rootOf(vault).envelope);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw refusal(error.code === "wrong_passphrase" ? "wrong_passphrase" : "vault_damaged", error.message);
    }
  }
}

/** @throws `wrong_key`, and where it goes wrong */
function typedKey(text: string): Uint8Array {
  const parsed = parseRecoveryKey(text);
  if (parsed.ok) return parsed.key;
  throw new KeysError({ code: "wrong_key", message: "not a recovery key", problem: problemIn(parsed) });
}

async function passwordConfirmed<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.code === "invalid_credentials") {
      throw refusal("wrong_password", "the password is wrong");
    }
    throw error;
  }
}

function savedRow(row: Row<Uint8Array>) {
  const { channelId, seq, mine, shown, value } = row;
  return { channelId, seq, mine: mine === 1, shown: shown !== undefined, value: codecs.row.decode(value) };
}

/** Parts of which each fits in a record. */
function split<T>(items: readonly T[], contentOf: (part: T[]) => VaultContent): VaultContent[] {
  const parts: T[][] = [];
  let bytes = Infinity;
  for (const item of items) {
    const size = utf8(JSON.stringify(item)).length + 1;
    if (bytes + size > CONTENT_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(item);
    bytes += size;
  }
  return parts.map(contentOf);
}
