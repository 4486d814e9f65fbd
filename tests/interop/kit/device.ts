import type { Address } from "@lescopains/e2ee/session/address";
import type { PreKeyBundle } from "@lescopains/e2ee/session/bundle";

export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** A device that speaks the Signal Protocol: the official library's or this engine's, so that a test can sit either on either side. */
export interface Device {
  readonly address: Address;
  /** 33 bytes. */
  readonly identityKey: Uint8Array;
  /** New prekeys of every kind, and the bundle that a server would hand out of them. */
  newBundle(options?: { readonly withoutOneTime?: boolean }): Promise<PreKeyBundle>;
  begin(peer: Address, bundle: PreKeyBundle, nowMs?: number): Promise<void>;
  send(peer: Address, plaintext: Uint8Array, nowMs?: number): Promise<Message>;
  /** Throws when the message is refused. */
  receive(peer: Address, message: Message): Promise<Uint8Array>;
  /** Stops writing with the current session. */
  archive(peer: Address): void;
  /** Whether there was ever a session. */
  knows(peer: Address): boolean;
  /** Whether there is a session that can be written with. */
  canSend(peer: Address, nowMs?: number): boolean;
}

export const startMs = Date.UTC(2026, 0, 1);
export const dayMs = 24 * 60 * 60 * 1_000;
