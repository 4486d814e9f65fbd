import { FailureReason } from "@lescopains/protocol/keys";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/**
 * What is counted in this process, from its start. On one machine all actors share the process, and so these are the whole instance's numbers;
 * on Cloudflare they would be those of whatever isolate happens to answer, and are not told (http/metrics.ts).
 * Labels come from closed lists of ours: nothing that a client writes makes a series.
 */
export const counted = new Registry();
const registers = [counted];

/** Seconds; 0.05 and 0.2 are the target and the alert of messages. */
const LATENCIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

export const requests = new Histogram({
  name: "lescopains_http_request_duration_seconds",
  help: "Time to answer a REST request",
  labelNames: ["method", "route", "status"],
  buckets: LATENCIES,
  registers,
});
export const messageAcks = new Histogram({
  name: "lescopains_message_ack_duration_seconds",
  help: "From a message's arrival at the gateway to its acknowledgement, for those that were accepted",
  buckets: LATENCIES,
  registers,
});
export const refusals = new Counter({
  name: "lescopains_refusals_total",
  help: "Requests and events that were refused, by code",
  labelNames: ["via", "code"],
  registers,
});
export const eventsReceived = new Counter({
  name: "lescopains_events_received_total",
  help: "Events read from sockets",
  registers,
});
export const eventsDelivered = new Counter({
  name: "lescopains_events_delivered_total",
  help: "Events written to sockets",
  registers,
});
export const ciphertexts = new Counter({
  name: "lescopains_ciphertexts_delivered_total",
  help: "Ciphertexts given to devices",
  registers,
});
export const decryptionFailures = new Counter({
  name: "lescopains_decryption_failures_total",
  help: "What devices could not decrypt, by their own word",
  labelNames: ["reason"],
  registers,
});
// What never happened yet is told as 0: Prometheus sees the first one only beside a number before it.
for (const reason of FailureReason.options) decryptionFailures.inc({ reason }, 0);

export const voiceJoins = new Counter({
  name: "lescopains_voice_joins_total",
  help: "Places that were asked for in voice channels and calls: ok, or the refusal",
  labelNames: ["outcome"],
  registers,
});
export const nodesLost = new Counter({
  name: "lescopains_sfu_nodes_lost_total",
  help: "Voice nodes that fell silent or did not obey, unless they had been emptied",
  registers,
});
export const statements = new Histogram({
  name: "lescopains_pg_statement_duration_seconds",
  help: "Time from a statement's arrival at the pool to its answer",
  buckets: LATENCIES,
  registers,
});
export const statementErrors = new Counter({
  name: "lescopains_pg_errors_total",
  help: "Statements that were not carried out, by kind",
  labelNames: ["kind"],
  registers,
});
const starts = new Counter({
  name: "lescopains_actors_started_total",
  help: "Times that an actor was brought into memory",
  labelNames: ["class"],
  registers,
});
const inMemory = new Gauge({
  name: "lescopains_actors_in_memory",
  help: "Actors in memory; one that was put to sleep counts until its memory is collected",
  labelNames: ["class"],
  registers,
});

const collected = new FinalizationRegistry<string>((name) => inMemory.dec({ class: name }));

export function actorStarted(actor: object, name: string): void {
  starts.inc({ class: name });
  inMemory.inc({ class: name });
  collected.register(actor, name);
}

/** Runs something and tells how long it took, in seconds; whatever comes of it. */
export async function timed<T>(observe: (seconds: number) => void, run: () => Promise<T>): Promise<T> {
  const beganMs = Date.now();
  try {
    return await run();
  } finally {
    observe((Date.now() - beganMs) / 1_000);
  }
}
