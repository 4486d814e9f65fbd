import { wipe } from "../bytes.ts";
import type { GcmSubtle } from "../primitives/aes-gcm.ts";
import type { TrackRole } from "./format.ts";
import { type FrameKey, importRoleKey, nextSecret, type RoleKey } from "./schedule.ts";

/** A frame may be this many joins ahead of the last one that came. What forged step numbers can cost is as much derived, once. */
export const maxStepsAhead = 64;
/** How long a key stays that another one has replaced: frames are late by less. With a timer of a second it is gone within ten. */
export const oldKeyMs = 8_000;

interface Step {
  readonly step: number;
  readonly secret: Uint8Array;
  readonly roleKeys: Map<TrackRole, Promise<RoleKey>>;
  /** Infinity until a later step took over. */
  expiresAtMs: number;
}

/** What a receiver has of one sender and one epoch. It goes forward by itself when frames of a later step authenticate. */
export class Generation {
  readonly epoch: number;
  /** When a newer epoch has taken over. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #subtle: GcmSubtle;
  readonly #context: Uint8Array;
  /** Without holes, the oldest first: those that expire, the present one, those after it that were asked for. */
  #steps: Step[];
  #present: number;

  constructor(subtle: GcmSubtle, context: Uint8Array, { epoch, step, secret }: FrameKey) {
    this.#subtle = subtle;
    this.#context = context;
    this.epoch = epoch;
    this.#present = step;
    this.#steps = [newStep(step, secret.slice())];
  }

  /** The same key as its owner gives it again, maybe further ahead than it can be followed. */
  replace({ step, secret }: FrameKey, nowMs: number): void {
    if (step <= this.#present) return;
    const last = this.#steps.at(-1);
    if (last === undefined || step > last.step) {
      // Between them is a hole: what is before it is dropped.
      this.close();
      this.#steps = [newStep(step, secret.slice())];
    }
    this.advance(step, nowMs);
  }

  /** `old`: gone, or never had. `far`: more ahead than is derived for a frame that nobody has authenticated. */
  roleKey(step: number, role: TrackRole): Promise<RoleKey> | "old" | "far" {
    if (step > this.#present + maxStepsAhead) return "far";
    let last = this.#steps.at(-1);
    while (last !== undefined && last.step < step) {
      last = newStep(last.step + 1, nextSecret(this.#context, last.secret, last.step + 1));
      this.#steps.push(last);
    }
    const found = this.#steps.find((candidate) => candidate.step === step);
    if (found === undefined) return "old";
    let roleKey = found.roleKeys.get(role);
    if (roleKey === undefined) {
      roleKey = importRoleKey(this.#subtle, this.#context, found, role);
      found.roleKeys.set(role, roleKey);
    }
    return roleKey;
  }

  /** A frame of this step was authentic: the steps before it go, a little later. */
  advance(step: number, nowMs: number): void {
    if (step <= this.#present) return;
    this.#present = step;
    for (const earlier of this.#steps) {
      if (earlier.step < step) earlier.expiresAtMs = Math.min(earlier.expiresAtMs, nowMs + oldKeyMs);
    }
  }

  expire(nowMs: number): void {
    while (this.#steps.length > 0 && this.#steps[0]!.expiresAtMs <= nowMs) wipe(this.#steps.shift()?.secret);
  }

  close(): void {
    for (const { secret } of this.#steps) wipe(secret);
    this.#steps = [];
  }
}

function newStep(step: number, secret: Uint8Array): Step {
  return { step, secret, roleKeys: new Map(), expiresAtMs: Number.POSITIVE_INFINITY };
}
