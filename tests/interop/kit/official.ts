import {
  CiphertextMessageType,
  IdentityChange,
  IdentityKeyPair,
  IdentityKeyStore,
  KEMKeyPair,
  KEMPublicKey,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyBundle,
  PreKeyRecord,
  PreKeySignalMessage,
  PreKeyStore,
  PrivateKey,
  ProtocolAddress,
  PublicKey,
  SessionRecord,
  SessionStore,
  SignalMessage,
  SignedPreKeyRecord,
  SignedPreKeyStore,
  processPreKeyBundle,
  signalDecrypt,
  signalDecryptPreKey,
  signalEncrypt,
} from "@signalapp/libsignal-client";
import type { Address } from "@lescopains/e2ee/session/address";
import type { PreKeyBundle as OurBundle } from "@lescopains/e2ee/session/bundle";
import { startMs } from "./device.ts";
import type { Device, Message } from "./device.ts";

/** The official types want arrays that own an ArrayBuffer. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

/** Sessions as bytes, like a store on disk would keep them. */
class Sessions extends SessionStore {
  readonly records = new Map<string, Uint8Array<ArrayBuffer>>();

  override async saveSession(address: ProtocolAddress, record: SessionRecord): Promise<void> {
    this.records.set(address.toString(), record.serialize());
  }

  override async getSession(address: ProtocolAddress): Promise<SessionRecord | null> {
    const record = this.records.get(address.toString());
    return record === undefined ? null : SessionRecord.deserialize(record);
  }

  override async getExistingSessions(): Promise<SessionRecord[]> {
    throw new Error("not needed");
  }
}

/** Sessions as the library's own objects: what is fastest, for measurements. */
class SessionObjects extends Sessions {
  readonly #objects = new Map<string, SessionRecord>();

  override async saveSession(address: ProtocolAddress, record: SessionRecord): Promise<void> {
    this.#objects.set(address.toString(), record);
  }

  override async getSession(address: ProtocolAddress): Promise<SessionRecord | null> {
    return this.#objects.get(address.toString()) ?? null;
  }
}

/** Trusts the first identity of an address alone, unless told to accept another. */
class Identities extends IdentityKeyStore {
  readonly #pair: IdentityKeyPair;
  readonly #registrationId: number;
  readonly known = new Map<string, PublicKey>();

  constructor(pair: IdentityKeyPair, registrationId: number) {
    super();
    this.#pair = pair;
    this.#registrationId = registrationId;
  }

  override async getIdentityKey(): Promise<PrivateKey> {
    return this.#pair.privateKey;
  }

  override async getLocalRegistrationId(): Promise<number> {
    return this.#registrationId;
  }

  override async saveIdentity(address: ProtocolAddress, key: PublicKey): Promise<IdentityChange> {
    const before = this.known.get(address.toString());
    this.known.set(address.toString(), key);
    return before === undefined || before.equals(key) ? IdentityChange.NewOrUnchanged : IdentityChange.ReplacedExisting;
  }

  override async isTrustedIdentity(address: ProtocolAddress, key: PublicKey): Promise<boolean> {
    return this.known.get(address.toString())?.equals(key) ?? true;
  }

  override async getIdentity(address: ProtocolAddress): Promise<PublicKey | null> {
    return this.known.get(address.toString()) ?? null;
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("no such prekey");
  return value;
}

class PreKeys extends PreKeyStore {
  readonly records = new Map<number, PreKeyRecord>();

  override async savePreKey(id: number, record: PreKeyRecord): Promise<void> {
    this.records.set(id, record);
  }

  override async getPreKey(id: number): Promise<PreKeyRecord> {
    return found(this.records.get(id));
  }

  override async removePreKey(id: number): Promise<void> {
    this.records.delete(id);
  }
}

class SignedPreKeys extends SignedPreKeyStore {
  readonly records = new Map<number, SignedPreKeyRecord>();

  override async saveSignedPreKey(id: number, record: SignedPreKeyRecord): Promise<void> {
    this.records.set(id, record);
  }

  override async getSignedPreKey(id: number): Promise<SignedPreKeyRecord> {
    return found(this.records.get(id));
  }
}

class KyberPreKeys extends KyberPreKeyStore {
  readonly records = new Map<number, KyberPreKeyRecord>();

  override async saveKyberPreKey(id: number, record: KyberPreKeyRecord): Promise<void> {
    this.records.set(id, record);
  }

  override async getKyberPreKey(id: number): Promise<KyberPreKeyRecord> {
    return found(this.records.get(id));
  }

  override async markKyberPreKeyUsed(): Promise<void> {
    // Ours are of last resort.
  }
}

/** A device of the official library. */
export class OfficialDevice implements Device {
  readonly address: Address;
  readonly #self: ProtocolAddress;
  readonly #identity: IdentityKeyPair;
  readonly #registrationId: number;
  readonly sessions: Sessions;
  readonly identities: Identities;
  readonly #preKeys = new PreKeys();
  readonly #signedPreKeys = new SignedPreKeys();
  readonly #kyberPreKeys = new KyberPreKeys();
  #nextId = 1;

  constructor(address: Address, identity: IdentityKeyPair = IdentityKeyPair.generate(), sessions = new Sessions()) {
    this.address = address;
    this.sessions = sessions;
    this.#self = ProtocolAddress.new(address.accountId, address.deviceId);
    this.#identity = identity;
    this.#registrationId = 1_000 + address.deviceId;
    this.identities = new Identities(identity, this.#registrationId);
  }

  get identityKey(): Uint8Array {
    return this.#identity.publicKey.serialize();
  }

  async newBundle({ withoutOneTime = false } = {}): Promise<OurBundle> {
    const id = this.#nextId;
    this.#nextId += 1;
    const [preKey, signed] = [PrivateKey.generate(), PrivateKey.generate()];
    const kyber = KEMKeyPair.generate();
    const signature = this.#identity.privateKey.sign(signed.getPublicKey().serialize());
    const kyberSignature = this.#identity.privateKey.sign(kyber.getPublicKey().serialize());
    await this.#preKeys.savePreKey(id, PreKeyRecord.new(id, preKey.getPublicKey(), preKey));
    const signedRecord = SignedPreKeyRecord.new(id, startMs, signed.getPublicKey(), signed, signature);
    await this.#signedPreKeys.saveSignedPreKey(id, signedRecord);
    await this.#kyberPreKeys.saveKyberPreKey(id, KyberPreKeyRecord.new(id, startMs, kyber, kyberSignature));
    return {
      registrationId: this.#registrationId,
      identityKey: this.identityKey,
      signedPreKey: { id, publicKey: signed.getPublicKey().serialize(), signature },
      kyberPreKey: { id, publicKey: kyber.getPublicKey().serialize(), signature: kyberSignature },
      ...(withoutOneTime ? {} : { preKey: { id, publicKey: preKey.getPublicKey().serialize() } }),
    };
  }

  async begin(peer: Address, bundle: OurBundle, nowMs = startMs): Promise<void> {
    const { signedPreKey, kyberPreKey, preKey } = bundle;
    const theirs = PreKeyBundle.new(
      bundle.registrationId,
      peer.deviceId,
      preKey?.id ?? null,
      preKey === undefined ? null : PublicKey.deserialize(owned(preKey.publicKey)),
      signedPreKey.id,
      PublicKey.deserialize(owned(signedPreKey.publicKey)),
      owned(signedPreKey.signature),
      PublicKey.deserialize(owned(bundle.identityKey)),
      kyberPreKey.id,
      KEMPublicKey.deserialize(owned(kyberPreKey.publicKey)),
      owned(kyberPreKey.signature),
    );
    await processPreKeyBundle(theirs, other(peer), this.#self, this.sessions, this.identities, new Date(nowMs));
  }

  async send(peer: Address, plaintext: Uint8Array, nowMs = startMs): Promise<Message> {
    const { sessions, identities } = this;
    const now = new Date(nowMs);
    const message = await signalEncrypt(owned(plaintext), other(peer), this.#self, sessions, identities, now);
    return { type: message.type(), body: message.serialize() };
  }

  async receive(peer: Address, message: Message): Promise<Uint8Array> {
    const body = owned(message.body);
    const isPreKey = message.type === (CiphertextMessageType.PreKey as number);
    if (!isPreKey) {
      const whisper = SignalMessage.deserialize(body);
      return signalDecrypt(whisper, other(peer), this.#self, this.sessions, this.identities);
    }
    return signalDecryptPreKey(
      PreKeySignalMessage.deserialize(body),
      other(peer),
      this.#self,
      this.sessions,
      this.identities,
      this.#preKeys,
      this.#signedPreKeys,
      this.#kyberPreKeys,
    );
  }

  archive(peer: Address): void {
    const record = this.#record(peer);
    record.archiveCurrentState();
    this.sessions.records.set(other(peer).toString(), record.serialize());
  }

  knows(peer: Address): boolean {
    return this.sessions.records.has(other(peer).toString());
  }

  canSend(peer: Address, nowMs = startMs): boolean {
    return this.#record(peer).hasCurrentState(new Date(nowMs));
  }

  /** Whether a ratchet key is the one that is written with now. */
  currentRatchetKeyMatches(peer: Address, ratchetKey: Uint8Array): boolean {
    return this.#record(peer).currentRatchetKeyMatches(PublicKey.deserialize(owned(ratchetKey)));
  }

  #record(peer: Address): SessionRecord {
    return SessionRecord.deserialize(found(this.sessions.records.get(other(peer).toString())));
  }
}

/** A device that keeps its sessions in memory, not as bytes. */
export function quickOfficialDevice(address: Address): OfficialDevice {
  return new OfficialDevice(address, IdentityKeyPair.generate(), new SessionObjects());
}

function other({ accountId, deviceId }: Address): ProtocolAddress {
  return ProtocolAddress.new(accountId, deviceId);
}
