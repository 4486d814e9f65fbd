import type { KeysDatabase } from "./database.ts";

const NONCE_BYTES = 12;

/** Seals values with a key that the browser does not give out. */
export interface Sealing {
  /** `place` says where the value stands: it opens nowhere else. */
  readonly seal: (place: string, value: Uint8Array) => Promise<Uint8Array>;
  readonly open: (place: string, sealed: Uint8Array) => Promise<Uint8Array>;
}

/**
 * The database's key, made with the database. A database that has records and no key is damaged, not new.
 */
export async function openSealing(database: KeysDatabase, subtle: SubtleCrypto): Promise<Sealing> {
  const fresh = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const transaction = database.transaction(["own", "records"], "readwrite", { durability: "strict" });
  let key = await transaction.objectStore("own").get("wrap");
  if (key === undefined) {
    if ((await transaction.objectStore("records").count()) > 0) throw new Error("the key of the database is gone");
    key = fresh;
    await transaction.objectStore("own").put(key, "wrap");
  }
  await transaction.done;
  if (typeof key === "number") throw new Error("the key of the database is none");
  return sealingWith(key, subtle);
}

function sealingWith(key: CryptoKey, subtle: SubtleCrypto): Sealing {
  const encoder = new TextEncoder();
  return {
    async seal(place, value) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const parameters = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
      const ciphertext = await subtle.encrypt(parameters, key, value as Uint8Array<ArrayBuffer>);
      const sealed = new Uint8Array(NONCE_BYTES + ciphertext.byteLength);
      sealed.set(iv);
      sealed.set(new Uint8Array(ciphertext), NONCE_BYTES);
      return sealed;
    },
    async open(place, sealed) {
      const bytes = sealed as Uint8Array<ArrayBuffer>;
      const iv = bytes.subarray(0, NONCE_BYTES);
      const parameters = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
      return new Uint8Array(await subtle.decrypt(parameters, key, bytes.subarray(NONCE_BYTES)));
    },
  };
}
