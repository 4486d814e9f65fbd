import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { ApiError } from "../net/api-error.ts";
import { backoffMs } from "../sync/backoff.ts";
import { singleFlight } from "../sync/single-flight.ts";
import { encodePassing, encodeStored, type PassingContent } from "./content.ts";
import { refreshLists } from "./device.ts";
import { type DmChange, isDmChange } from "./dm-content.ts";
import { flushEnvelopes, nextNumber } from "./envelopes.ts";
import { encryptGroup } from "./groups.ts";
import { deleteRow, readRowById } from "./history.ts";
import { completeOutgoing, keptOf, noEffects, outgoingByNonce, tellEffects } from "./inbox.ts";
import { asRefusal, isWorldly, type Kit, refusal } from "./kit.ts";
import { devicesOf, readersOf, readPeer } from "./peers.ts";
import { type DmContent, type DmPending, KeysError, type KeysRefusal } from "./port.ts";
import { type Address, type ChannelRecord, codecs, KEY, type OutgoingRecord } from "./records.ts";
import { beginSessions, encryptFor, type OwnDevice, ownDevice, withoutSession } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

/** What is written: kept first, encrypted once for the devices of the moment, kept again, then sent until the server has it. */
export interface Outbox {
  /** `writtenAtMs`: it was given then for the first time, and may have been sent since. */
  readonly send: (channelId: ChannelId, nonce: string, content: DmContent, writtenAtMs?: number) => Promise<void>;
  readonly retry: (nonce: string) => Promise<void>;
  readonly discard: (nonce: string) => Promise<void>;
  readonly pending: () => Promise<readonly DmPending[]>;
  /** For whoever is connected. */
  readonly pass: (channelId: ChannelId, content: PassingContent) => Promise<void>;
  /** Sends what waits. */
  readonly run: () => Promise<void>;
  readonly close: () => void;
}

/** Rows read at once in search of a message. */
const LOOK_BACK = 100;
/** The server's clock and this machine's; beyond it the server itself still knows the nonce. */
const CLOCKS_DIFFER_MS = 24 * 3_600_000;
/** Device lists may change again between an answer and the next try. */
const DEVICE_TRIES = 8;

type Wire = NonNullable<OutgoingRecord["wire"]>;

export function createOutbox(kit: Kit): Outbox {
  let cancel: (() => void) | undefined;
  let failures = 0;
  let closed = false;

  const run = singleFlight(async () => {
    cancel?.();
    if (closed || !kit.connected()) return;
    try {
      await flushEnvelopes(kit);
      const held = new Set<ChannelId>();
      for (;;) {
        const next = await nextOutgoing(held);
        if (next === undefined) break;
        if (!(await deliver(next))) held.add(next.channelId);
      }
      failures = 0;
    } catch (error) {
      const wait = error instanceof ApiError ? error.retryAfterMs : undefined;
      if (kit.connected() && !isWorldly(error)) console.error("keys: messages could not be sent", error);
      failures += 1;
      if (!closed) cancel = kit.clock.after(wait ?? backoffMs(failures, () => 0.5), () => void run());
    }
  });

  /** The first that waits in each conversation: its messages keep their order. */
  async function nextOutgoing(held: ReadonlySet<ChannelId>): Promise<OutgoingRecord | undefined> {
    return await kit.store.exclusive(async (unit) => {
      for (const key of await unit.keys("outbox/")) {
        const outgoing = await unit.get(key, codecs.outgoing);
        if (outgoing !== undefined && outgoing.failure === null && !held.has(outgoing.channelId)) return outgoing;
      }
      return undefined;
    });
  }

  /** True when it is stored, or failed for good. Throws what should be tried again later. */
  async function deliver(outgoing: OutgoingRecord): Promise<boolean> {
    try {
      if (outgoing.content.kind === "delete") await deleteMessage(outgoing, outgoing.content.messageId);
      else await sendMessage(outgoing);
    } catch (error) {
      const why = asRefusal(error);
      const lasting = error instanceof KeysError ? error.code !== "not_ready" : isLasting(error);
      if (!lasting) throw error;
      await failed(outgoing, why);
    }
    return true;
  }

  async function sendMessage(outgoing: OutgoingRecord): Promise<void> {
    let refresh: readonly UserId[] = [];
    for (let tries = 0; ; tries += 1) {
      const ready = await encrypted(outgoing, refresh);
      if (ready === undefined) return;
      // Sender keys go first: who gets a message should have what it is read with.
      await flushEnvelopes(kit);
      try {
        const { channelId, nonce } = ready.outgoing;
        const answer = await kit.server.emit("message:send", { channelId, nonce, encrypted: true, ...ready.wire });
        await stored(ready.outgoing, answer);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "devices_changed" || tries >= DEVICE_TRIES) throw error;
        refresh = await forgetWire(outgoing, error);
      }
    }
  }

  /** The message as it is sent: made now, or before and kept. `undefined`: another tab has sent it. */
  async function encrypted(
    outgoing: OutgoingRecord,
    refresh: readonly UserId[],
  ): Promise<{ readonly outgoing: OutgoingRecord; readonly wire: Wire } | undefined> {
    const key = KEY.outgoing(outgoing.n);
    const kept = await kit.store.exclusive((unit) => unit.get(key, codecs.outgoing));
    if (kept === undefined) return undefined;
    if (kept.wire !== null) return { outgoing: kept, wire: kept.wire };
    await reach(kit, outgoing.channelId, refresh);
    return await kit.store.exclusive(async (unit) => {
      const now = await unit.get(key, codecs.outgoing);
      if (now === undefined || now.wire !== null) {
        return now?.wire == null ? undefined : { outgoing: now, wire: now.wire };
      }
      const own = await ownDevice(unit);
      const channel = await writableChannel(kit, unit, now.channelId);
      const plaintext = encodeStored(now.channelId, keptOf(now.content), now.createdAtMs);
      const wire = await wireFor(kit, unit, own, channel, plaintext);
      const next = { ...now, wire, to: await readersOf(unit, channel.participants) };
      unit.put(key, codecs.outgoing, next);
      await unit.commit();
      return { outgoing: next, wire };
    });
  }

  /** The server refused it for other devices than there are: nothing of it was stored, and it is encrypted anew. */
  async function forgetWire(outgoing: OutgoingRecord, error: ApiError): Promise<readonly UserId[]> {
    await kit.store.exclusive(async (unit) => {
      const now = await unit.get(KEY.outgoing(outgoing.n), codecs.outgoing);
      if (now !== undefined) unit.put(KEY.outgoing(now.n), codecs.outgoing, { ...now, wire: null });
      await unit.commit();
    });
    const { versions } = (error.details ?? {}) as { versions?: Readonly<Record<UserId, number>> };
    return Object.keys(versions ?? {}) as UserId[];
  }

  async function stored(
    outgoing: OutgoingRecord,
    answer: { readonly id: MessageId; readonly seq: number; readonly createdAt: string },
  ): Promise<void> {
    const effects = noEffects();
    await kit.store.exclusive(async (unit) => {
      const { channelId, nonce } = outgoing;
      const own = await ownDevice(unit);
      const channel = await unit.get(KEY.channel(channelId), codecs.channel);
      // Its event may have come before its answer.
      if (channel === undefined || (await outgoingByNonce(unit, channelId, nonce)) === undefined) return;
      const message: Message = {
        ...answer,
        channelId,
        changedSeq: answer.seq,
        authorId: kit.selfId,
        content: "",
        contentType: "text",
        encrypted: true,
        metadata: null,
        nonce,
        replyTo: null,
        threadId: null,
        editedAt: null,
        deleted: false,
        reactions: [],
        senderDeviceId: own.deviceId,
      };
      const next = await completeOutgoing(kit, unit, channel, outgoing, message, effects);
      const seen = answer.seq === next.seen + 1 ? answer.seq : next.seen;
      unit.put(KEY.channel(channelId), codecs.channel, { ...next, seen });
      await unit.commit();
    });
    await tellEffects(kit, outgoing.channelId, effects);
    await tellPending(outgoing.channelId);
  }

  async function deleteMessage(outgoing: OutgoingRecord, messageId: MessageId): Promise<void> {
    try {
      if (!outgoing.placed) await sendMessage(outgoing);
    } catch (error) {
      if (!isNobodyThere(error)) throw error;
      await deleteHere(outgoing.channelId, messageId);
    }
    await deleteCiphertexts(outgoing, messageId);
  }

  /** Nobody else has a device any more: there is nobody to tell. */
  async function deleteHere(channelId: ChannelId, messageId: MessageId): Promise<void> {
    const effects = noEffects();
    await kit.store.exclusive(async (unit) => {
      const row = await readRowById(unit, messageId);
      const by = { authorId: kit.selfId, seq: row?.value.changedSeq ?? 0 };
      const deleted = row && (await deleteRow(unit, row, by, kit.mark()));
      if (deleted !== undefined) effects.rows.set(messageId, deleted);
      await unit.commit();
    });
    await tellEffects(kit, channelId, effects);
  }

  /** Its author's word stands in the conversation: nobody needs the ciphertexts any more. */
  async function deleteCiphertexts(outgoing: OutgoingRecord, messageId: MessageId): Promise<void> {
    const { channelId } = outgoing;
    try {
      await kit.server.emit("message:delete", { channelId, messageId });
    } catch (error) {
      // Deleted already, by the request whose answer was lost.
      if (!(error instanceof ApiError) || error.code !== "not_found") throw error;
    }
    await drop(outgoing);
  }

  async function drop(outgoing: OutgoingRecord): Promise<void> {
    await kit.store.exclusive(async (unit) => {
      unit.drop(KEY.outgoing(outgoing.n));
      await unit.commit();
    });
    await tellPending(outgoing.channelId);
  }

  async function failed(outgoing: OutgoingRecord, why: KeysRefusal): Promise<void> {
    await kit.store.exclusive(async (unit) => {
      const now = await unit.get(KEY.outgoing(outgoing.n), codecs.outgoing);
      const { code, message, server } = why;
      const failure = { code, message, ...(server === undefined ? {} : { server }) };
      if (now !== undefined) unit.put(KEY.outgoing(now.n), codecs.outgoing, { ...now, failure });
      await unit.commit();
    });
    await tellPending(outgoing.channelId);
  }

  async function all(): Promise<DmPending[]> {
    return await kit.store.exclusive(async (unit) => {
      const pending: DmPending[] = [];
      for (const key of await unit.keys("outbox/")) {
        const outgoing = await unit.get(key, codecs.outgoing);
        if (outgoing !== undefined) pending.push(viewOf(outgoing));
      }
      return pending;
    });
  }

  async function tellPending(channelId: ChannelId): Promise<void> {
    const pending = (await all()).filter((one) => one.channelId === channelId);
    kit.tell("dm:pending", { channelId, pending });
    kit.share({ kind: "pending", channelId });
  }

  async function byNonce(unit: Unit, nonce: string): Promise<OutgoingRecord | undefined> {
    for (const key of await unit.keys("outbox/")) {
      const outgoing = await unit.get(key, codecs.outgoing);
      if (outgoing?.nonce === nonce) return outgoing;
    }
    return undefined;
  }

  return {
    async send(channelId, nonce, content, writtenAtMs) {
      await kit.store.exclusive(async (unit) => {
        await ownDevice(unit);
        const channel = await unit.get(KEY.channel(channelId), codecs.channel);
        if (channel === undefined || channel.left) throw refusal("not_found", "no such conversation");
        if ((content.kind === "text" || content.kind === "edit") && content.text.length > LIMITS.contentLength) {
          throw refusal("too_long", "the message is too long");
        }
        if (isDmChange(content)) await checkTarget(unit, content, channelId);
        if ((await byNonce(unit, nonce)) !== undefined) return;
        if (writtenAtMs !== undefined && (await wasSent(kit, unit, channel, { nonce, content, writtenAtMs }))) return;
        const n = await nextNumber(unit);
        const createdAtMs = kit.clock.now();
        const outgoing = {
          n,
          channelId,
          nonce,
          content,
          createdAtMs,
          failure: null,
          placed: false,
          wire: null,
          to: [],
        };
        unit.put(KEY.outgoing(n), codecs.outgoing, outgoing);
        await unit.commit();
      });
      await tellPending(channelId);
      void run();
    },
    async retry(nonce) {
      const channelId = await kit.store.exclusive(async (unit) => {
        const outgoing = await byNonce(unit, nonce);
        if (outgoing === undefined || outgoing.failure === null) return undefined;
        // To the end of the line: what was written after it may have been sent.
        const n = await nextNumber(unit);
        unit.drop(KEY.outgoing(outgoing.n));
        unit.put(KEY.outgoing(n), codecs.outgoing, { ...outgoing, n, failure: null });
        await unit.commit();
        return outgoing.channelId;
      });
      if (channelId !== undefined) await tellPending(channelId);
      void run();
    },
    async discard(nonce) {
      const channelId = await kit.store.exclusive(async (unit) => {
        const outgoing = await byNonce(unit, nonce);
        // What was made to be sent and is not refused may be with the server by now.
        if (outgoing === undefined || (outgoing.failure === null && outgoing.wire !== null)) return undefined;
        unit.drop(KEY.outgoing(outgoing.n));
        await unit.commit();
        return outgoing.channelId;
      });
      if (channelId !== undefined) await tellPending(channelId);
    },
    pending: all,
    async pass(channelId, content) {
      if (!kit.connected()) return;
      await reach(kit, channelId, []);
      const wire = await kit.store.exclusive(async (unit) => {
        const own = await ownDevice(unit);
        const channel = await writableChannel(kit, unit, channelId);
        const made = await wireFor(kit, unit, own, channel, encodePassing(channelId, content, kit.clock.now()));
        await unit.commit();
        return made;
      });
      await flushEnvelopes(kit);
      const nonce = crypto.randomUUID();
      await kit.server.emit("message:send", { channelId, nonce, encrypted: true, ephemeral: true, ...wire });
    },
    run,
    close() {
      closed = true;
      cancel?.();
    },
  };
}

/** Whether what was written then stands in the conversation: looked for from its end back to that time. */
async function wasSent(
  kit: Kit,
  unit: Unit,
  { channelId, seen }: ChannelRecord,
  { nonce, content, writtenAtMs }: { nonce: string; content: DmContent; writtenAtMs: number },
): Promise<boolean> {
  if (content.kind === "delete") return (await readRowById(unit, content.messageId))?.value.deleted === true;
  const untilMs = writtenAtMs - CLOCKS_DIFFER_MS;
  for (let [from, to] = [seen, Infinity]; to >= 0; [from, to] = [from - LOOK_BACK, from - 1]) {
    const rows = await kit.store.rows(channelId, Math.max(0, from), to);
    const found = rows.map(({ mine, value }) => ({ mine, ...codecs.row.decode(value) }));
    if (found.some((row) => row.mine === 1 && row.nonce === nonce)) return true;
    if (found.some(({ createdAt }) => Date.parse(createdAt) < untilMs)) return false;
  }
  return false;
}

async function checkTarget(unit: Unit, content: DmChange, channelId: ChannelId): Promise<void> {
  const target = await readRowById(unit, content.messageId);
  if (target?.channelId !== channelId) throw refusal("not_found", "no such message");
  if (content.kind !== "reaction" && !target.mine) throw refusal("not_yours", "somebody else's message");
}

function viewOf({ nonce, channelId, content, createdAtMs, failure }: OutgoingRecord): DmPending {
  return {
    nonce,
    channelId,
    content,
    createdAtMs,
    state: failure === null ? "waiting" : "failed",
    failure: failure as KeysRefusal | null,
  };
}

function isNobodyThere(error: unknown): boolean {
  return (
    (error instanceof KeysError && error.code === "no_devices") ||
    (error instanceof ApiError && error.code === "conflict")
  );
}

/** Refusals that the same request would meet again. */
function isLasting(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const ofSession = ["token_expired", "unauthenticated", "session_revoked", "device_required"];
  return !error.retry && !ofSession.includes(error.code);
}

/** Lists of everyone in the conversation, and a session with each of their devices. Asks the server for what is missing. */
async function reach(kit: Kit, channelId: ChannelId, refresh: readonly UserId[]): Promise<void> {
  const people = await kit.store.exclusive(async (unit) => {
    const channel = await unit.get(KEY.channel(channelId), codecs.channel);
    const unknown: UserId[] = [];
    for (const userId of channel?.participants ?? []) {
      if ((await readPeer(unit, userId))?.list == null) unknown.push(userId);
    }
    return { all: channel?.participants ?? [], unknown };
  });
  await refreshLists(kit, [...people.unknown, ...refresh]);
  const missing = await kit.store.exclusive(async (unit) => {
    const own = await ownDevice(unit);
    const devices = await devicesOf(unit, people.all, { userId: kit.selfId, deviceId: own.deviceId });
    return await withoutSession(kit, unit, devices);
  });
  if (missing.length > 0) await beginSessions(kit, missing);
}

/** @throws KeysError `identity_changed`, `no_devices`, `not_found`. */
async function writableChannel(kit: Kit, unit: Unit, channelId: ChannelId): Promise<ChannelRecord> {
  const channel = await unit.get(KEY.channel(channelId), codecs.channel);
  if (channel === undefined || channel.left) throw refusal("not_found", "no such conversation");
  let reachable = 0;
  for (const userId of channel.participants) {
    if (userId === kit.selfId) continue;
    const peer = await readPeer(unit, userId);
    if (peer?.trust === "blocked") throw refusal("identity_changed", "an identity changed after it was verified");
    if (peer?.list != null) reachable += 1;
  }
  if (reachable === 0) throw refusal("no_devices", "nobody here has a device");
  return channel;
}

async function wireFor(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  channel: ChannelRecord,
  plaintext: Uint8Array,
): Promise<Wire> {
  const devices = await devicesOf(unit, channel.participants, { userId: kit.selfId, deviceId: own.deviceId });
  const absent = await withoutSession(kit, unit, devices);
  if (absent.length > 0) throw new ApiError({ code: "unavailable", message: "a device has no session yet" });
  if (channel.type === "group_dm") {
    const content = await encryptGroup(kit, unit, own, channel.channelId, devices, plaintext);
    return { content, listVersions: await versionsOf(unit, channel.participants) };
  }
  const ciphertexts: (Address & { type: 2 | 3 | 7 | 8; body: string })[] = [];
  for (const { userId, deviceId } of devices) {
    const made = await encryptFor(kit, unit, own, { userId, deviceId }, plaintext);
    ciphertexts.push({ userId, deviceId, ...made });
  }
  return { ciphertexts };
}

async function versionsOf(unit: Unit, userIds: readonly UserId[]): Promise<Record<UserId, number>> {
  const versions: Record<UserId, number> = {};
  for (const userId of userIds) {
    const version = (await readPeer(unit, userId))?.list?.version;
    if (version !== undefined) versions[userId] = version;
  }
  return versions;
}
