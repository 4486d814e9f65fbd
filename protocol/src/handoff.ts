import * as v from "valibot";
import { base64 } from "./ciphertext.ts";
import { HandoffId, Timestamp } from "./ids.ts";
import { EcPublicKey } from "./keys.ts";
import { LIMITS } from "./limits.ts";

/** Opened by a new browser, which shows its id and key to be scanned by an old one. The key is used once. */
export const HandoffBody = v.object({ publicKey: EcPublicKey });
export const OpenedHandoff = v.object({ id: HandoffId, expiresAt: Timestamp });
export type OpenedHandoff = v.InferOutput<typeof OpenedHandoff>;

const Sealed = base64(1, LIMITS.handoffBytes);

/** What the old browser hands over, sealed to the scanned key. */
export const HandoffFill = v.object({ sealed: Sealed });

/**
 * `sealed` is null until it is there, and always for other sessions than the one that opened the handoff. Whoever scanned the key trusts the
 * scan, never this `publicKey`: it is here to compare.
 */
export const Handoff = v.object({ publicKey: EcPublicKey, expiresAt: Timestamp, sealed: v.nullable(Sealed) });
export type Handoff = v.InferOutput<typeof Handoff>;
