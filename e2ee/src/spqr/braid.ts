import { concat, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import {
  ct1Length,
  ct2Length,
  decapsulate,
  encapsulate1,
  encapsulate2,
  generate,
  headerLength,
  headerOf,
  vectorLength,
  vectorMatches,
  vectorOf,
} from "../primitives/mlkem768.ts";
import {
  type Authenticator,
  ciphertextMac,
  epochSecret,
  headerMac,
  macLength,
  updateAuthenticator,
  withoutMac,
} from "./authenticator.ts";
import { addChunk, chunkAt, chunkIndices, joinChunks } from "./erasure.ts";
import type { Step } from "./message.ts";

/*
 * The key exchange of an epoch (ML-KEM Braid, 2.5), a chunk a message. One side sends a key, the other one encapsulates to it:
 *
 *   keysUnsampled ─send▶ keysSampled ─ct1▶ headerSent ─all of ct1▶ ct1Received ─ct2▶ ekSentCt1Received ─all of ct2▶ (other side)
 *      header                header           vector          vector, ct1 acked            ct1 acked
 *
 *   noHeaderReceived ─all of header▶ headerReceived ─send▶ ct1Sampled ─────ct1 acked────▶ ct1Acknowledged
 *      (nothing)                                             ct1 │                             │ (nothing)
 *                                                  all of vector ▼              all of vector  ▼
 *                                              ekReceivedCt1Sampled ──ct1 acked──▶  ct2Sampled ─next epoch▶ (other side)
 *                                                            ct1                        ct2
 *
 * Then the roles change and the next epoch begins. Both phases `…Received` and `…Sampled` of one exchange overlap, hence braid.
 */

/** What a side sends next: the index of the chunk. */
interface Sending {
  readonly sent: number;
}

/** Where a side is in the exchange. `Chunks` are what erasure.ts has received. */
export type Phase =
  | { readonly name: "keysUnsampled" }
  | ({ readonly name: "keysSampled"; readonly secretKey: Uint8Array; readonly header: Uint8Array } & Sending)
  | ({ readonly name: "headerSent"; readonly secretKey: Uint8Array; readonly ct1Chunks: Uint8Array } & Sending)
  | ({ readonly name: "ct1Received"; readonly secretKey: Uint8Array; readonly ct1: Uint8Array } & Sending)
  | {
      readonly name: "ekSentCt1Received";
      readonly secretKey: Uint8Array;
      readonly ct1: Uint8Array;
      readonly ct2Chunks: Uint8Array;
    }
  | { readonly name: "noHeaderReceived"; readonly headerChunks: Uint8Array }
  | { readonly name: "headerReceived"; readonly header: Uint8Array }
  | ({
      readonly name: "ct1Sampled";
      readonly header: Uint8Array;
      readonly encapsulation: Uint8Array;
      readonly ct1: Uint8Array;
      readonly vectorChunks: Uint8Array;
    } & Sending)
  | ({ readonly name: "ekReceivedCt1Sampled"; readonly ct1: Uint8Array; readonly ct2: Uint8Array } & Sending)
  | {
      readonly name: "ct1Acknowledged";
      readonly header: Uint8Array;
      readonly encapsulation: Uint8Array;
      readonly ct1: Uint8Array;
      readonly vectorChunks: Uint8Array;
    }
  | ({ readonly name: "ct2Sampled"; readonly ct2: Uint8Array } & Sending);

export interface Braid {
  /** The epoch being agreed, from 1. */
  readonly epoch: number;
  readonly authenticator: Authenticator;
  readonly phase: Phase;
}

/** Lengths of what is sent in chunks, MACs included. */
export const headerPayload = headerLength + macLength;
export const ct2Payload = ct2Length + macLength;

const nothing = new Uint8Array();

/** The braid of a new session: the initiator sends the first key. */
export function startBraid(role: "initiator" | "responder", authenticator: Authenticator): Braid {
  return { epoch: 1, authenticator, phase: role === "initiator" ? { name: "keysUnsampled" } : awaitHeader };
}

const awaitHeader: Phase = { name: "noHeaderReceived", headerChunks: nothing };

/** The step of the next message, and the secret of `braid.epoch` (32 bytes) if this step finds it. */
export function sendStep(
  braid: Braid,
  random: Platform["random"],
): { braid: Braid; step: Step; secret: Uint8Array | null } {
  const { phase } = braid;
  switch (phase.name) {
    case "keysUnsampled": {
      const seed = random(64);
      const secretKey = generate(seed);
      wipe(seed);
      const keyHeader = headerOf(secretKey);
      const header = concat(keyHeader, headerMac(braid.authenticator, braid.epoch, keyHeader));
      return sendChunk(braid, { name: "keysSampled", secretKey, header, sent: 0 }, "header", header);
    }
    case "keysSampled":
      return sendChunk(braid, phase, "header", phase.header);
    case "headerSent":
      return sendChunk(braid, phase, "vector", vectorOf(phase.secretKey));
    case "ct1Received":
      return sendChunk(braid, phase, "vectorCt1Acked", vectorOf(phase.secretKey));
    case "headerReceived":
      return sendFirstCt1(braid, phase.header, random);
    case "ct1Sampled":
    case "ekReceivedCt1Sampled":
      return sendChunk(braid, phase, "ct1", phase.ct1);
    case "ct2Sampled":
      return sendChunk(braid, phase, "ct2", phase.ct2);
    case "ekSentCt1Received":
      return { braid, step: { type: "ct1Acked" }, secret: null };
    // noHeaderReceived and ct1Acknowledged wait.
    default:
      return { braid, step: { type: "none" }, secret: null };
  }
}

function sendChunk(
  braid: Braid,
  phase: Phase & Sending,
  type: "header" | "vector" | "vectorCt1Acked" | "ct1" | "ct2",
  payload: Uint8Array,
) {
  const step: Step = { type, index: phase.sent, chunk: chunkAt(payload, phase.sent) };
  const sent = (phase.sent + 1) % chunkIndices;
  return { braid: { ...braid, phase: { ...phase, sent } }, step, secret: null };
}

/** The encapsulating side knows the secret as soon as it begins to send the ciphertext. */
function sendFirstCt1(braid: Braid, header: Uint8Array, random: Platform["random"]) {
  const { epoch } = braid;
  const m = random(32);
  const { ct1, secret: kemSecret, encapsulation } = encapsulate1(header, m);
  wipe(m);
  const secret = epochSecret(epoch, kemSecret);
  const authenticator = updateAuthenticator(braid.authenticator, epoch, secret);
  const phase: Phase = { name: "ct1Sampled", header, encapsulation, ct1, vectorChunks: nothing, sent: 0 };
  return { ...sendChunk({ epoch, authenticator, phase }, phase, "ct1", ct1), secret };
}

/**
 * What a received step of `epoch` changes, and the secret of `braid.epoch` (32 bytes) if that completes it. Steps that say
 * nothing new (of earlier epochs or phases, or twice the same chunk) change nothing.
 *
 * @throws ProtocolError `invalid_message` for an epoch that cannot be, or a payload that its MAC or hash denies.
 */
export function receiveStep(braid: Braid, epoch: number, step: Step): { braid: Braid; secret: Uint8Array | null } {
  if (epoch < braid.epoch) return { braid, secret: null };
  if (epoch > braid.epoch) {
    // The peer has all of ct2 and waits for a header: the roles change.
    if (braid.phase.name !== "ct2Sampled" || epoch !== braid.epoch + 1) {
      throw new ProtocolError("invalid_message", "The ratchet message is of an epoch that has not begun.");
    }
    return { braid: { ...braid, epoch, phase: { name: "keysUnsampled" } }, secret: null };
  }
  const { phase } = braid;
  switch (phase.name) {
    case "keysSampled":
      return step.type === "ct1" ? receiveCt1(braid, phase.secretKey, nothing, 0, step) : { braid, secret: null };
    case "headerSent":
      return step.type === "ct1"
        ? receiveCt1(braid, phase.secretKey, phase.ct1Chunks, phase.sent, step)
        : { braid, secret: null };
    case "ct1Received":
      return step.type === "ct2" ? receiveCt2(braid, phase, nothing, step) : { braid, secret: null };
    case "ekSentCt1Received":
      return step.type === "ct2" ? receiveCt2(braid, phase, phase.ct2Chunks, step) : { braid, secret: null };
    case "noHeaderReceived":
      return { braid: step.type === "header" ? receiveHeader(braid, phase.headerChunks, step) : braid, secret: null };
    case "ct1Sampled":
    case "ekReceivedCt1Sampled":
    case "ct1Acknowledged":
      return { braid: { ...braid, phase: receiveVector(braid, phase, step) }, secret: null };
    // keysUnsampled and headerReceived wait for a message to send, ct2Sampled for the next epoch.
    default:
      return { braid, secret: null };
  }
}

type Chunk = Extract<Step, { chunk: Uint8Array }>;

function receiveCt1(braid: Braid, secretKey: Uint8Array, chunks: Uint8Array, sent: number, { index, chunk }: Chunk) {
  const ct1Chunks = addChunk(chunks, index, chunk);
  const ct1 = joinChunks(ct1Chunks, ct1Length);
  const phase: Phase =
    ct1 === null ? { name: "headerSent", secretKey, ct1Chunks, sent } : { name: "ct1Received", secretKey, ct1, sent };
  return { braid: { ...braid, phase }, secret: null };
}

function receiveCt2(
  braid: Braid,
  { secretKey, ct1 }: { secretKey: Uint8Array; ct1: Uint8Array },
  chunks: Uint8Array,
  { index, chunk }: Chunk,
) {
  const ct2Chunks = addChunk(chunks, index, chunk);
  const payload = joinChunks(ct2Chunks, ct2Payload);
  if (payload === null) {
    const phase: Phase = { name: "ekSentCt1Received", secretKey, ct1, ct2Chunks };
    return { braid: { ...braid, phase }, secret: null };
  }
  const { epoch } = braid;
  const secret = epochSecret(epoch, decapsulate(secretKey, ct1, payload.slice(0, ct2Length)));
  const authenticator = updateAuthenticator(braid.authenticator, epoch, secret);
  if (withoutMac(payload, (ct2) => ciphertextMac(authenticator, epoch, ct1, ct2)) === null) throw wrongMac();
  return { braid: { epoch: epoch + 1, authenticator, phase: awaitHeader }, secret };
}

function receiveHeader(braid: Braid, chunks: Uint8Array, { index, chunk }: Chunk): Braid {
  const headerChunks = addChunk(chunks, index, chunk);
  const payload = joinChunks(headerChunks, headerPayload);
  if (payload === null) return { ...braid, phase: { name: "noHeaderReceived", headerChunks } };
  const header = withoutMac(payload, (content) => headerMac(braid.authenticator, braid.epoch, content));
  if (header === null) throw wrongMac();
  return { ...braid, phase: { name: "headerReceived", header } };
}

function receiveVector(
  { epoch, authenticator }: Braid,
  phase: Extract<Phase, { name: "ct1Sampled" | "ekReceivedCt1Sampled" | "ct1Acknowledged" }>,
  step: Step,
): Phase {
  const acked = step.type === "vectorCt1Acked" || step.type === "ct1Acked";
  if (phase.name === "ekReceivedCt1Sampled") {
    return acked ? { name: "ct2Sampled", ct2: phase.ct2, sent: 0 } : phase;
  }
  const isVector = step.type === "vector" || step.type === "vectorCt1Acked";
  const { header, encapsulation, ct1 } = phase;
  const vectorChunks = isVector ? addChunk(phase.vectorChunks, step.index, step.chunk) : phase.vectorChunks;
  const vector = joinChunks(vectorChunks, vectorLength);
  if (vector !== null) {
    if (!vectorMatches(header, vector)) {
      throw new ProtocolError("invalid_message", "The key of the epoch is not the one that was announced.");
    }
    // Nothing of the encapsulation is needed any more, even while ct1 is still to be acknowledged.
    const ct2 = encapsulate2(encapsulation, vector);
    const payload = concat(ct2, ciphertextMac(authenticator, epoch, ct1, ct2));
    return acked || phase.name === "ct1Acknowledged"
      ? { name: "ct2Sampled", ct2: payload, sent: 0 }
      : { name: "ekReceivedCt1Sampled", ct1, ct2: payload, sent: phase.sent };
  }
  if (acked && phase.name === "ct1Sampled") {
    return { name: "ct1Acknowledged", header, encapsulation, ct1, vectorChunks };
  }
  return vectorChunks === phase.vectorChunks ? phase : { ...phase, vectorChunks };
}

function wrongMac(): ProtocolError {
  return new ProtocolError("invalid_message", "A part of the key exchange has a wrong authentication code.");
}
