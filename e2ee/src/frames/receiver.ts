import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { decryptGcm, type GcmSubtle } from "../primitives/aes-gcm.ts";
import { additionalDataOf, nonceOf, parseFrame, type ParsedFrame, type TrackRole } from "./format.ts";
import { Generation, oldKeyMs } from "./generation.ts";
import type { Member } from "./member.ts";
import { ReplayWindow } from "./replay-window.ts";
import { type FrameKey, keyContext, type RoleKey } from "./schedule.ts";

/** Epochs of one sender whose keys are kept: the present one, the one before while it lasts, and one that is to come. */
export const maxGenerations = 3;

export type DropReason =
  /** No encrypted frame at all. */
  | "malformed"
  /** There is no key for it: it is to be asked for. */
  | "unknown_key"
  /** Of a key that was replaced, or of before this device joined. */
  | "old_key"
  | "replayed"
  /** Changed, forged, or of another track, device or call. */
  | "not_authentic";

export type Opened =
  | { readonly kind: "frame"; readonly frame: Uint8Array }
  | { readonly kind: "dropped"; readonly reason: DropReason };

interface Source {
  readonly member: Member;
  /** The newest first. */
  generations: Generation[];
  readonly windows: Map<TrackRole, ReplayWindow>;
}

function dropped(reason: DropReason): Opened {
  return { kind: "dropped", reason };
}

/** Decrypts what the others in a call send. A frame that fails changes nothing: neither what is kept nor what is believed. */
export class FrameReceiver {
  readonly #subtle: GcmSubtle;
  readonly #callId: string;
  readonly #sources = new Map<string, Source>();

  constructor(subtle: GcmSubtle, callId: string) {
    this.#subtle = subtle;
    this.#callId = callId;
  }

  /** A key that `member` itself has given, over a session with its device. A newer epoch puts an end to the older ones. */
  install(member: Member, key: FrameKey, nowMs: number): void {
    this.expire(nowMs);
    const source: Source = this.#sources.get(member.joinId) ?? { member, generations: [], windows: new Map() };
    this.#sources.set(member.joinId, source);
    const known = source.generations.find(({ epoch }) => epoch === key.epoch);
    if (known !== undefined) {
      known.replace(key, nowMs);
      return;
    }
    const context = keyContext(this.#callId, member, key.epoch);
    const generations = [...source.generations, new Generation(this.#subtle, context, key)].toSorted(
      (a, b) => b.epoch - a.epoch,
    );
    for (const old of generations.slice(1)) old.expiresAtMs = Math.min(old.expiresAtMs, nowMs + oldKeyMs);
    for (const surplus of generations.slice(maxGenerations)) surplus.close();
    source.generations = generations.slice(0, maxGenerations);
  }

  /** The member left: nothing of it opens any more. */
  forget(joinId: string): void {
    for (const generation of this.#sources.get(joinId)?.generations ?? []) generation.close();
    this.#sources.delete(joinId);
  }

  /** Lets go of keys whose time is over. To be called every second while a call lasts. */
  expire(nowMs: number): void {
    for (const source of this.#sources.values()) expireSource(source, nowMs);
  }

  /** A frame of the track that the SFU says is `role` of the stay `joinId`: what it says wrongly does not open. */
  async open(joinId: string, role: TrackRole, frame: Uint8Array, nowMs: number): Promise<Opened> {
    const parsed = parseFrame(frame);
    if (parsed === undefined) return dropped("malformed");
    const source = this.#sources.get(joinId);
    if (source === undefined) return dropped("unknown_key");
    expireSource(source, nowMs);
    const named = source.generations.filter(({ epoch }) => (epoch & 0xff) === parsed.epochByte);
    if (named.length === 0) return dropped("unknown_key");
    if (source.windows.get(role)?.has(parsed.counter) === true) return dropped("replayed");
    let refused: Opened | undefined;
    // More than one only when a member's keys were made 256 epochs apart.
    for (const generation of named) {
      const opened = await this.#openWith(generation, source, role, parsed, nowMs);
      if (opened.kind === "frame") return opened;
      refused ??= opened;
    }
    return refused ?? dropped("unknown_key");
  }

  async #openWith(
    generation: Generation,
    source: Source,
    role: TrackRole,
    parsed: ParsedFrame,
    nowMs: number,
  ): Promise<Opened> {
    const found = generation.roleKey(parsed.step, role);
    if (found === "old") return dropped("old_key");
    if (found === "far") return dropped("unknown_key");
    const plaintext = await this.#decrypt(await found, parsed, role);
    if (plaintext === undefined) return dropped("not_authentic");
    // Meanwhile the member may have left, and a copy of the same frame may have come first.
    const isPresent = this.#sources.get(source.member.joinId) === source;
    if (!isPresent || !source.generations.includes(generation)) return dropped("old_key");
    const window = source.windows.get(role) ?? new ReplayWindow();
    if (window.has(parsed.counter)) return dropped("replayed");
    source.windows.set(role, window);
    window.add(parsed.counter);
    generation.advance(parsed.step, nowMs);
    return { kind: "frame", frame: concat(parsed.clear, plaintext) };
  }

  async #decrypt(
    { key, salt }: RoleKey,
    { clear, trailer, ciphertext, counter }: ParsedFrame,
    role: TrackRole,
  ): Promise<Uint8Array | undefined> {
    try {
      return await decryptGcm(key, nonceOf(salt, counter), ciphertext, additionalDataOf(clear, trailer, role));
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "damaged") return undefined;
      throw error;
    }
  }
}

function expireSource(source: Source, nowMs: number): void {
  for (const generation of source.generations) {
    if (generation.expiresAtMs <= nowMs) generation.close();
    else generation.expire(nowMs);
  }
  if (source.generations.some(({ expiresAtMs }) => expiresAtMs <= nowMs)) {
    source.generations = source.generations.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  }
}
