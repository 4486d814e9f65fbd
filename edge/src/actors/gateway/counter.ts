import type { FailureReason } from "@lescopains/protocol/keys";

/** What a gateway counts for `/metrics`, since its actor started. */
export class Counter {
  /** Events read from sockets. */
  received = 0;
  /** Ciphertexts that were given to devices. */
  ciphertexts = 0;
  readonly #failures = new Map<FailureReason, number>();

  /** A device could not decrypt something. */
  failed(reason: FailureReason): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  get failures(): [FailureReason, number][] {
    return [...this.#failures];
  }
}
