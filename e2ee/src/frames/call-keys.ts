import { equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { Address } from "../session/address.ts";
import { isDeviceOf, type Member } from "./member.ts";
import { type CallMessage, decodeCallMessage, encodeCallMessage, type Offer } from "./message.ts";
import { OwnKey } from "./own-key.ts";
import { commitmentOf, type FrameKey, keyContext } from "./schedule.ts";

/** Who leaves reads nothing that is sent later than this after the others heard of it. */
export const switchAfterMs = 750;
/** A key that did not come is asked for: after this, and each time after twice as long. */
export const wantAfterMs = 2_000;
/** As often without frames that name it. */
export const maxWants = 5;
/** Frames that nobody can read ask this often at most, and are answered this often at most. */
export const wantEveryMs = 500;
/** Offers of members that the list does not name yet. */
export const maxEarlyOffers = 64;
/** More than a voice channel holds. Each join costs each member a message, and a step, which is a byte of each frame. */
export const maxMembers = 128;

/** Who is in the call, as the channel's actor orders it: the epoch goes up with each change. */
export interface CallRoster {
  readonly epoch: number;
  readonly members: readonly Member[];
}

/** What is to be done, in this order. */
export type CallEffect =
  /** The same bytes to each of these devices, over their pairwise sessions; `anew`: over new ones, since the present ones may be broken. */
  | { readonly kind: "send"; readonly to: readonly Address[]; readonly body: Uint8Array; readonly anew: boolean }
  /** What this device encrypts with from the next frame on. */
  | { readonly kind: "encryptWith"; readonly key: FrameKey }
  /** What frames of `member` may be encrypted with. */
  | { readonly kind: "decryptWith"; readonly member: Member; readonly key: FrameKey }
  /** Nothing of this stay is to be decrypted any more. */
  | { readonly kind: "forget"; readonly joinId: string }
  /** This device is no longer in the call. */
  | { readonly kind: "over" };

/** What the members compare of one of them: `safetyCode`. */
export interface KeyedMember extends Member {
  readonly keyEpoch: number;
  readonly commitment: Uint8Array;
}

interface Peer {
  readonly member: Member;
  key: { readonly epoch: number; readonly commitment: Uint8Array } | undefined;
  wants: number;
  wantAtMs: number;
  wantedAtMs: number;
  answeredAtMs: number;
}

interface Switch {
  readonly key: OwnKey;
  readonly atMs: number;
  readonly waitsFor: Set<string>;
}

/**
 * The frame keys of one stay in a call: which this device makes, to whom it gives them, when it changes to them, and which of the
 * others' it takes. Decides and sends nothing by itself; `nowMs` is a clock that does not go back.
 *
 * ```
 *   join:   own key one step forward at once, the newcomer gets that step
 *   leave:  a fresh key to all who stay, used when all have it or after 750 ms
 * ```
 */
export class CallKeys {
  readonly #random: (length: number) => Uint8Array;
  readonly #callId: string;
  readonly #self: Member;
  readonly #peers = new Map<string, Peer>();
  readonly #early = new Map<string, Offer>();
  /** Stays that have left: what was recorded of them would open once more if they were taken for new. */
  readonly #ended = new Set<string>();
  #epoch = -1;
  /** The last epoch that somebody left in: keys from before it are stale. */
  #leaveEpoch = -1;
  #own: OwnKey | undefined;
  #switch: Switch | undefined;
  #isOver = false;

  constructor(random: (length: number) => Uint8Array, callId: string, self: Member) {
    this.#random = random;
    this.#callId = callId;
    this.#self = self;
  }

  /**
   * A list that is not newer than the last one changes nothing; another one of the same epoch ends the stay. After one that was missed, somebody may have come and gone: that
   * counts as a leave. A stay that has left is never a member again.
   *
   * @throws ProtocolError `too_large` for more than 128 members.
   */
  roster({ epoch, members }: CallRoster, nowMs: number): CallEffect[] {
    if (this.#isOver || epoch < this.#epoch) return [];
    if (members.length > maxMembers) throw new ProtocolError("too_large", "The call has more members than allowed.");
    if (epoch === this.#epoch) return this.#isContradicted(members) ? this.close() : [];
    const expected = this.#epoch + 1;
    this.#epoch = epoch;
    const present = new Map(members.map((member) => [member.joinId, member]));
    const self = present.get(this.#self.joinId);
    if (self === undefined || !isDeviceOf(self, this.#self)) return this.close();
    present.delete(self.joinId);
    const gone = [...this.#peers.values()].filter(({ member }) => {
      const still = present.get(member.joinId);
      return still === undefined || !isDeviceOf(still, member);
    });
    const effects: CallEffect[] = [];
    for (const { member } of gone) {
      this.#peers.delete(member.joinId);
      this.#ended.add(member.joinId);
      this.#switch?.waitsFor.delete(member.joinId);
      effects.push({ kind: "forget", joinId: member.joinId });
    }
    const joined = [...present.values()].filter(({ joinId }) => !this.#peers.has(joinId) && !this.#ended.has(joinId));
    for (const member of joined) this.#peers.set(member.joinId, newPeer(member, nowMs));
    if (gone.length > 0) {
      this.#leaveEpoch = expected;
      for (const peer of this.#peers.values()) Object.assign(peer, { wants: 0, wantAtMs: nowMs + wantAfterMs });
    }
    effects.push(...this.#renew(gone.length > 0 || epoch > expected, joined, nowMs));
    for (const member of joined) effects.push(...this.#takeEarly(member));
    return effects;
  }

  /** Another list of the same epoch: what people see of the call would not be who has keys. One without this stay says nothing: it is being told so otherwise. */
  #isContradicted(members: readonly Member[]): boolean {
    const others = new Map(members.map((member) => [member.joinId, member]));
    if (!others.delete(this.#self.joinId)) return false;
    for (const joinId of this.#ended) others.delete(joinId);
    return (
      others.size !== this.#peers.size ||
      [...this.#peers.values()].some(({ member }) => {
        const named = others.get(member.joinId);
        return named === undefined || !isDeviceOf(named, member);
      })
    );
  }

  #renew(mayHaveLeft: boolean, joined: readonly Member[], nowMs: number): CallEffect[] {
    const own = this.#own;
    if (own === undefined) {
      this.#own = new OwnKey(this.#random, this.#callId, this.#self, this.#epoch);
      return [{ kind: "encryptWith", key: this.#own.now() }, ...this.#offer(this.#own, joined)];
    }
    if (mayHaveLeft) return this.#beginSwitch(nowMs);
    if (joined.length === 0) return [];
    if (this.#switch !== undefined) {
      // Nothing was sent with the coming key yet, and the present one is never theirs.
      for (const { joinId } of joined) this.#switch.waitsFor.add(joinId);
      return this.#offer(this.#switch.key, joined);
    }
    own.step();
    return [{ kind: "encryptWith", key: own.now() }, ...this.#offer(own, joined)];
  }

  #beginSwitch(nowMs: number): CallEffect[] {
    this.#switch?.key.close();
    const key = new OwnKey(this.#random, this.#callId, this.#self, this.#epoch);
    // Whoever left first does not read on because others leave after them.
    const atMs = this.#switch?.atMs ?? nowMs + switchAfterMs;
    this.#switch = { key, atMs, waitsFor: new Set(this.#peers.keys()) };
    const members = [...this.#peers.values()].map(({ member }) => member);
    return [...this.#offer(key, members), ...this.tick(nowMs)];
  }

  /** Bytes that a session with the device `from` brought. What is no message of this call is passed over. */
  message(from: Address, bytes: Uint8Array, nowMs: number): CallEffect[] {
    if (this.#isOver) return [];
    let message: CallMessage;
    try {
      message = decodeCallMessage(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return [];
      throw error;
    }
    if (message.callId !== this.#callId || message.joinId === this.#self.joinId) return [];
    const peer = this.#peers.get(message.joinId);
    if (message.kind === "offer") return this.#takeOffer(from, message, peer);
    if (peer === undefined || !isDeviceOf(peer.member, from) || message.of !== this.#self.joinId) return [];
    return message.kind === "want" ? this.#answer(peer, nowMs) : this.#acknowledged(peer, message.epoch, nowMs);
  }

  #takeOffer(from: Address, offer: Offer, peer: Peer | undefined): CallEffect[] {
    if (peer === undefined) {
      const place = earlyPlace(offer.joinId, from);
      this.#early.delete(place);
      this.#early.set(place, offer);
      const [oldest] = this.#early.keys();
      if (this.#early.size > maxEarlyOffers && oldest !== undefined) this.#early.delete(oldest);
      return [];
    }
    const { member } = peer;
    if (!isDeviceOf(member, from) || (peer.key !== undefined && offer.epoch < peer.key.epoch)) return [];
    const { callId, epoch, step, secret, commitment } = offer;
    const context = keyContext(callId, member, epoch);
    if (step === 0 && !equal(commitmentOf(context, secret), commitment)) return [];
    const isAnew = peer.key?.epoch === epoch && !equal(peer.key.commitment, commitment);
    peer.key = { epoch, commitment };
    const ack = encodeCallMessage({ kind: "ack", callId, joinId: this.#self.joinId, of: offer.joinId, epoch });
    const effects: CallEffect[] = [
      { kind: "decryptWith", member, key: { epoch, step, secret } },
      { kind: "send", to: [addressOf(member)], body: ack, anew: false },
    ];
    if (!isAnew) return effects;
    // A page that was loaded again and keeps its place: it has begun anew, and has no key of anybody.
    const own = this.#switch?.key ?? this.#own;
    const again = own === undefined ? [] : this.#offer(own, [member]);
    return [{ kind: "forget", joinId: member.joinId }, ...effects, ...again];
  }

  #takeEarly(member: Member): CallEffect[] {
    const place = earlyPlace(member.joinId, member);
    const offer = this.#early.get(place);
    this.#early.delete(place);
    return offer === undefined ? [] : this.#takeOffer(member, offer, this.#peers.get(member.joinId));
  }

  #acknowledged({ member }: Peer, epoch: number, nowMs: number): CallEffect[] {
    if (this.#switch?.key.epoch !== epoch) return [];
    this.#switch.waitsFor.delete(member.joinId);
    return this.tick(nowMs);
  }

  #answer(peer: Peer, nowMs: number): CallEffect[] {
    if (nowMs < peer.answeredAtMs + wantEveryMs) return [];
    peer.answeredAtMs = nowMs;
    // During a switch a newcomer may have the coming key only.
    const key = this.#switch?.key ?? this.#own;
    return key === undefined ? [] : this.#offer(key, [peer.member]);
  }

  /** Frames of this stay come that no key is there for. */
  wanted(joinId: string, nowMs: number): CallEffect[] {
    const peer = this.#peers.get(joinId);
    if (this.#isOver || peer === undefined || nowMs < peer.wantedAtMs + wantEveryMs) return [];
    peer.wantedAtMs = nowMs;
    return [this.#want(peer.member, false)];
  }

  /** Time went by: to be called at `wakeAtMs`. */
  tick(nowMs: number): CallEffect[] {
    const effects: CallEffect[] = [];
    const next = this.#switch;
    if (next !== undefined && (next.waitsFor.size === 0 || nowMs >= next.atMs)) {
      this.#own?.close();
      this.#own = next.key;
      this.#switch = undefined;
      effects.push({ kind: "encryptWith", key: next.key.now() });
      const late = [...next.waitsFor].flatMap((joinId) => this.#peers.get(joinId)?.member ?? []);
      effects.push(...this.#offer(next.key, late));
    }
    for (const peer of this.#peers.values()) {
      if (nowMs < peer.wantAtMs || !this.#waitsFor(peer)) continue;
      peer.wants += 1;
      peer.wantAtMs = nowMs + wantAfterMs * 2 ** peer.wants;
      effects.push(this.#want(peer.member, peer.wants > 1));
    }
    return effects;
  }

  /** When `tick` has something to do; infinity when nothing waits. */
  wakeAtMs(): number {
    let atMs = this.#switch?.atMs ?? Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) if (this.#waitsFor(peer)) atMs = Math.min(atMs, peer.wantAtMs);
    return atMs;
  }

  /** Leaves: overwrites every secret. */
  close(): CallEffect[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    this.#own?.close();
    this.#switch?.key.close();
    this.#switch = undefined;
    const forgotten = [...this.#peers.keys()];
    this.#peers.clear();
    this.#early.clear();
    return [...forgotten.map((joinId) => ({ kind: "forget", joinId }) as const), { kind: "over" }];
  }

  /** All members with the newest key of each; `undefined` while one is missing. */
  keyed(): { readonly epoch: number; readonly members: readonly KeyedMember[] } | undefined {
    const own = this.#switch?.key ?? this.#own;
    if (this.#isOver || own === undefined) return undefined;
    const members: KeyedMember[] = [{ ...this.#self, keyEpoch: own.epoch, commitment: own.commitment }];
    for (const peer of this.#peers.values()) {
      if (peer.key === undefined || this.#lacks(peer)) return undefined;
      members.push({ ...peer.member, keyEpoch: peer.key.epoch, commitment: peer.key.commitment });
    }
    return { epoch: this.#epoch, members };
  }

  /** Whoever was there when somebody left has made a key since. */
  #lacks({ key }: Peer): boolean {
    return key === undefined || key.epoch < this.#leaveEpoch;
  }

  #waitsFor(peer: Peer): boolean {
    return this.#lacks(peer) && peer.wants < maxWants;
  }

  #offer(key: OwnKey, to: readonly Member[]): CallEffect[] {
    if (to.length === 0) return [];
    const { commitment } = key;
    const from = { callId: this.#callId, joinId: this.#self.joinId };
    const body = encodeCallMessage({ kind: "offer", ...from, ...key.now(), commitment });
    return [{ kind: "send", to: to.map(addressOf), body, anew: false }];
  }

  #want(member: Member, anew: boolean): CallEffect {
    const from = { callId: this.#callId, joinId: this.#self.joinId };
    return {
      kind: "send",
      to: [addressOf(member)],
      body: encodeCallMessage({ kind: "want", ...from, of: member.joinId }),
      anew,
    };
  }
}

function addressOf({ accountId, deviceId }: Member): Address {
  return { accountId, deviceId };
}

/** A stay is nobody else's, whoever names it: each device has a place of its own. */
function earlyPlace(joinId: string, { accountId, deviceId }: Address): string {
  return `${joinId} ${accountId} ${deviceId}`;
}

function newPeer(member: Member, nowMs: number): Peer {
  const never = Number.NEGATIVE_INFINITY;
  return {
    member,
    key: undefined,
    wants: 0,
    wantAtMs: nowMs + wantAfterMs,
    wantedAtMs: never,
    answeredAtMs: never,
  };
}
