import { wipe } from "../bytes.ts";
import { commitmentOf, type FrameKey, keyContext, nextSecret, secretLength } from "./schedule.ts";
import type { Member } from "./member.ts";

/** One key of this device's own, from the random bytes of its epoch on. */
export class OwnKey {
  readonly epoch: number;
  readonly commitment: Uint8Array;
  readonly #context: Uint8Array;
  #secret: Uint8Array;
  #step = 0;

  constructor(random: (length: number) => Uint8Array, callId: string, self: Member, epoch: number) {
    this.epoch = epoch;
    this.#context = keyContext(callId, self, epoch);
    this.#secret = random(secretLength);
    this.commitment = commitmentOf(this.#context, this.#secret);
  }

  /** The present step; its secret is a copy. */
  now(): FrameKey {
    return { epoch: this.epoch, step: this.#step, secret: this.#secret.slice() };
  }

  /** One way forward, at most as often as a call has members: whoever leaves makes the next key a fresh one. Who gets it from now on cannot read what was sent before. */
  step(): void {
    const next = nextSecret(this.#context, this.#secret, this.#step + 1);
    wipe(this.#secret);
    this.#secret = next;
    this.#step += 1;
  }

  close(): void {
    wipe(this.#secret);
  }
}
