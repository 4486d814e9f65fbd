import { concat, utf8, wipe } from "@lescopains/e2ee/bytes";
import { ProtocolError } from "@lescopains/e2ee/errors";
import { decryptGcm, encryptGcm, importGcmKey, nonceLength } from "@lescopains/e2ee/primitives/aes-gcm";
import { agree, checkPublicKey, generateKeyPair, type KeyPair } from "@lescopains/e2ee/primitives/curve";
import { hkdf } from "@lescopains/e2ee/primitives/kdf";
import { HandoffId } from "@lescopains/protocol/ids";
import * as v from "valibot";
import { ApiError } from "../net/api-error.ts";
import { fromBase64, fromBase64Url, toBase64, toBase64Url, uuidBytes } from "./base64.ts";
import { type Kit, refusal } from "./kit.ts";
import { codecs, Given, KEY } from "./records.ts";
import { ownDevice } from "./sessions.ts";
import { bytesCodec } from "./store/codec.ts";
import type { Vault } from "./vault.ts";

/*
 * The new browser shows        lescopains:1:<handoff id 16 ‖ public key 33 ‖ secret 32>
 * the one that has it sends    public key 33 ‖ nonce 12 ‖ AES-256-GCM(identity, recovery key)
 *   key = HKDF(ikm = X25519 of both keys, salt = the secret, info = label ‖ handoff id ‖ account id)
 *
 * The secret is seen by who scans and by nobody else: a server that puts in a key of its own, on either side, opens nothing and is
 * believed in nothing.
 */
const PREFIX = "lescopains:1:";
const ID_BYTES = 16;
const KEY_BYTES = 33;
const SECRET_BYTES = 32;
const INFO = utf8("LesCopains handoff 1\0");

/** A new browser that waits. */
export interface Waiting {
  readonly id: HandoffId;
  readonly code: string;
  readonly expiresAt: string;
  readonly keys: KeyPair;
  readonly secret: Uint8Array;
}

export async function openHandoff(kit: Kit): Promise<Waiting> {
  const keys = await generateKeyPair(kit.platform);
  const secret = kit.platform.random(SECRET_BYTES);
  const { id, expiresAt } = await kit.server.call("openHandoff", { body: { publicKey: toBase64(keys.publicKey) } });
  const code = PREFIX + toBase64Url(concat(uuidBytes(id), keys.publicKey, secret));
  return { id, code, expiresAt, keys, secret };
}

/** What the other browser gave; `undefined` while it did not. @throws KeysError `code_expired`, `code_invalid` */
export async function takeHandoff(kit: Kit, { id, keys, secret }: Waiting): Promise<Given | undefined> {
  const { sealed } = await orExpired(kit.server.call("takeHandoff", { params: { id } }));
  if (sealed === null) return undefined;
  const bytes = fromBase64(sealed);
  try {
    const key = await keyFor(kit, keys.privateKey, checkPublicKey(bytes.subarray(0, KEY_BYTES)), id, secret);
    const nonce = bytes.subarray(KEY_BYTES, KEY_BYTES + nonceLength);
    const plaintext = await decryptGcm(key, nonce, bytes.subarray(KEY_BYTES + nonceLength), INFO);
    return v.parse(Given, JSON.parse(new TextDecoder().decode(plaintext)));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw refusal("code_invalid", "what came was not sealed by who read the code");
  } finally {
    wipe(keys.privateKey, secret);
  }
}

interface Code {
  readonly id: HandoffId;
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}

/** @throws KeysError `code_invalid` */
export function readCode(text: string): Code {
  const trimmed = text.trim();
  try {
    const bytes = fromBase64Url(trimmed.startsWith(PREFIX) ? trimmed.slice(PREFIX.length) : "");
    if (bytes.length !== ID_BYTES + KEY_BYTES + SECRET_BYTES) throw new RangeError("length");
    const hex = Array.from(bytes.subarray(0, ID_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
    return {
      id: v.parse(HandoffId, id),
      publicKey: checkPublicKey(bytes.subarray(ID_BYTES, ID_BYTES + KEY_BYTES)),
      secret: bytes.subarray(ID_BYTES + KEY_BYTES),
    };
  } catch {
    throw refusal("code_invalid", "this is no code of ours");
  }
}

/** That the code is of this account, and still waited for. The server's key is compared, never used. */
export async function checkCode(kit: Kit, { id, publicKey }: Code): Promise<void> {
  const open = await orExpired(kit.server.call("takeHandoff", { params: { id } }));
  if (open.publicKey !== toBase64(publicKey)) throw refusal("code_invalid", "the server knows another key");
}

async function fillHandoff(kit: Kit, code: Code, given: Given): Promise<void> {
  await checkCode(kit, code);
  const own = await generateKeyPair(kit.platform);
  const key = await keyFor(kit, own.privateKey, code.publicKey, code.id, code.secret);
  const nonce = kit.platform.random(nonceLength);
  const sealed = await encryptGcm(key, nonce, utf8(JSON.stringify(given)), INFO);
  wipe(own.privateKey);
  const body = { sealed: toBase64(concat(own.publicKey, nonce, sealed)) };
  await orExpired(kit.server.call("fillHandoff", { params: { id: code.id }, body }));
}

/** Gives this browser's identity, and the key of its vault, to who shows the code. @throws KeysError `code_invalid`, `code_expired`, `not_ready` */
export async function giveIdentity(kit: Kit, vault: Vault, code: Code): Promise<void> {
  const given = await kit.store.exclusive(async (unit) => {
    await ownDevice(unit);
    const identity = await unit.get(KEY.identity, bytesCodec);
    const locked = (await unit.get(KEY.vault, codecs.vault))?.locked;
    const recoveryKey = locked === false ? await unit.get(KEY.recoveryKey, bytesCodec) : undefined;
    if (identity === undefined) throw refusal("not_ready", "this browser has no identity");
    return {
      identity: toBase64(identity),
      recoveryKey: recoveryKey === undefined ? null : toBase64(recoveryKey),
    };
  });
  // What is not saved yet would not come along.
  await vault.run();
  await fillHandoff(kit, code, given);
}

async function keyFor(kit: Kit, privateKey: Uint8Array, publicKey: Uint8Array, id: string, secret: Uint8Array) {
  const shared = await agree(kit.platform, privateKey, publicKey);
  const bytes = hkdf(shared, secret, concat(INFO, uuidBytes(id), uuidBytes(kit.selfId)), 32);
  const key = await importGcmKey(kit.subtle, bytes);
  wipe(shared, bytes);
  return key;
}

async function orExpired<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_found") throw refusal("code_expired", "nobody waits any more");
    throw error;
  }
}
