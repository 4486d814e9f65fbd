import { webCryptoCurve } from "@lescopains/e2ee/platform";
import type { Platform } from "@lescopains/e2ee/platform";
import type { KeyPair } from "@lescopains/e2ee/primitives/curve";
import type { Address } from "@lescopains/e2ee/session/address";
import type { PreKeyBundle } from "@lescopains/e2ee/session/bundle";
import {
  generateIdentity,
  generateKyberPreKey,
  generatePreKeys,
  generateSignedPreKey,
} from "@lescopains/e2ee/session/keys";
import type { KyberPreKey, PreKey, SignedPreKey } from "@lescopains/e2ee/session/keys";
import { archiveSession, sessionStatus } from "@lescopains/e2ee/session/record";
import { decodeRecord, encodeRecord } from "@lescopains/e2ee/session/record-codec";
import { decrypt, encrypt, startSession } from "@lescopains/e2ee/session/session";
import type { Conversation } from "@lescopains/e2ee/session/session";
import type { SessionRecord } from "@lescopains/e2ee/session/state";
import { startMs } from "./device.ts";
import type { Device, Message } from "./device.ts";
import { seededBytes } from "./random.ts";

/** A platform whose randomness follows from a seed. */
export async function seededPlatform(seed: number): Promise<Platform> {
  return { random: seededBytes(seed), curve: await webCryptoCurve(crypto.subtle) };
}

/** A device of this engine. Like a careful client it stores every record encoded, and trusts the first identity of an address. */
export class EngineDevice implements Device {
  readonly address: Address;
  readonly platform: Platform;
  readonly identity: KeyPair;
  readonly records = new Map<string, Uint8Array>();
  readonly trusted = new Map<string, Uint8Array>();
  readonly #preKeys = new Map<number, PreKey>();
  readonly #signedPreKeys = new Map<number, SignedPreKey>();
  readonly #kyberPreKeys = new Map<number, KyberPreKey>();
  #nextId = 1;

  constructor(address: Address, platform: Platform, identity: KeyPair) {
    this.address = address;
    this.platform = platform;
    this.identity = identity;
  }

  static async create(address: Address, seed: number, identity?: KeyPair): Promise<EngineDevice> {
    const platform = await seededPlatform(seed);
    return new EngineDevice(address, platform, identity ?? (await generateIdentity(platform)));
  }

  get identityKey(): Uint8Array {
    return this.identity.publicKey;
  }

  async newBundle({ withoutOneTime = false } = {}): Promise<PreKeyBundle> {
    const id = this.#nextId;
    this.#nextId += 1;
    const [preKey] = await generatePreKeys(this.platform, id, 1);
    const signed = await generateSignedPreKey(this.platform, this.identity, id, startMs);
    const kyber = await generateKyberPreKey(this.platform, this.identity, id, startMs);
    if (preKey === undefined) throw new Error("no prekey was made");
    this.#preKeys.set(id, preKey);
    this.#signedPreKeys.set(id, signed);
    this.#kyberPreKeys.set(id, kyber);
    return {
      registrationId: this.#registrationId,
      identityKey: this.identityKey,
      signedPreKey: { id, publicKey: signed.keyPair.publicKey, signature: signed.signature },
      kyberPreKey: { id, publicKey: kyber.keyPair.publicKey, signature: kyber.signature },
      ...(withoutOneTime ? {} : { preKey: { id, publicKey: preKey.keyPair.publicKey } }),
    };
  }

  async begin(peer: Address, bundle: PreKeyBundle, nowMs = startMs): Promise<void> {
    this.#store(peer, await startSession(this.#conversation(peer), this.record(peer), bundle, nowMs));
    this.trusted.set(name(peer), bundle.identityKey);
  }

  async send(peer: Address, plaintext: Uint8Array, nowMs = startMs): Promise<Message> {
    const { record, message } = await encrypt(this.#conversation(peer), this.record(peer), plaintext, nowMs);
    this.#store(peer, record);
    return message;
  }

  async receive(peer: Address, message: Message): Promise<Uint8Array> {
    const { record, plaintext, identityKey, usedPreKeys } = await decrypt(
      this.#conversation(peer),
      this.record(peer),
      message,
      {
        preKey: async (id) => this.#preKeys.get(id)?.keyPair,
        signedPreKey: async (id) => this.#signedPreKeys.get(id)?.keyPair,
        kyberPreKey: async (id) => this.#kyberPreKeys.get(id)?.keyPair,
      },
    );
    this.#store(peer, record);
    this.trusted.set(name(peer), identityKey);
    if (usedPreKeys?.preKeyId !== undefined) this.#preKeys.delete(usedPreKeys.preKeyId);
    return plaintext;
  }

  archive(peer: Address): void {
    const record = this.record(peer);
    if (record !== undefined) this.#store(peer, archiveSession(record));
  }

  knows(peer: Address): boolean {
    return this.records.has(name(peer));
  }

  canSend(peer: Address, nowMs = startMs): boolean {
    const status = sessionStatus(this.record(peer), nowMs);
    return status === "established" || status === "unacknowledged";
  }

  record(peer: Address): SessionRecord | undefined {
    const stored = this.records.get(name(peer));
    return stored === undefined ? undefined : decodeRecord(stored);
  }

  get #registrationId(): number {
    return 2_000 + this.address.deviceId;
  }

  #conversation(remote: Address): Conversation {
    const { platform, identity, address } = this;
    const local = { identity, registrationId: this.#registrationId, address };
    return { platform, local, remote, trustedIdentity: this.trusted.get(name(remote)) };
  }

  #store(peer: Address, record: SessionRecord): void {
    this.records.set(name(peer), encodeRecord(record));
  }
}

function name({ accountId, deviceId }: Address): string {
  return `${accountId}.${deviceId}`;
}
