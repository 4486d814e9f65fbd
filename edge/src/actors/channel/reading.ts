import type { DeviceId } from "@lescopains/protocol/device-list";
import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { HistoryQuery } from "@lescopains/protocol/rest";
import { changedSince, historyAfter, historyBefore, tellableSince } from "../../db/messages.ts";
import type { Database } from "../../db/port.ts";
import { sealedAfter, sealedBefore, sealedSince, waitingCiphertexts } from "../../db/sealed.ts";
import type { Told } from "../gateway/messages.ts";
import { changeOf } from "./core.ts";
import type { Loaded } from "./loaded.ts";

/** Who reads in a direct conversation: with which device, and from where on it is theirs. */
interface DirectReader {
  readonly userId: UserId;
  readonly deviceId: DeviceId | null;
  readonly joinedSeq: number;
}

/** How a person reads in a direct conversation; undefined in a channel of a server. */
export function readerIn({ access }: Loaded, userId: UserId, deviceId: DeviceId | null): DirectReader | undefined {
  return "people" in access ? { userId, deviceId, joinedSeq: access.people.joinedSeq(userId) } : undefined;
}

/** Events that are told late at most; beyond, readers ask `sync`. */
const UNTOLD_MAX = 500;

/** Up to `limit` messages of a page, in the order of its cursor. */
export function pageOf(
  db: Database,
  id: ChannelId,
  { before = Number.MAX_SAFE_INTEGER, after }: HistoryQuery,
  limit: number,
  direct: DirectReader | undefined,
): Promise<Message[]> {
  if (direct === undefined) {
    return after === undefined
      ? db.query(historyBefore, [id, before, limit])
      : db.query(historyAfter, [id, after, limit]);
  }
  const { userId, deviceId, joinedSeq } = direct;
  return after === undefined
    ? db.query(sealedBefore, [id, before, limit, userId, deviceId, joinedSeq])
    : db.query(sealedAfter, [id, Math.max(after, joinedSeq), limit, userId, deviceId]);
}

/** Up to `limit` messages that changed after an event, in the order of their last change. */
export function changesSince(
  db: Database,
  id: ChannelId,
  since: number,
  limit: number,
  direct: DirectReader | undefined,
): Promise<Message[]> {
  if (direct === undefined) return db.query(changedSince, [id, since, limit]);
  return db.query(sealedSince, [id, since, limit, direct.userId, direct.deviceId, direct.joinedSeq]);
}

/** What was stored after event `told`, up to `upTo`, as it should have been told. Reactions are left out: readers see the hole and ask `sync`. */
export async function untoldOf(
  db: Database,
  id: ChannelId,
  told: number,
  upTo: number,
  isDirect: boolean,
): Promise<Told[]> {
  if (!isDirect) {
    const changed = await db.query(tellableSince, [id, told, upTo, UNTOLD_MAX]);
    return changed.map((message) => ({ event: changeOf(message) }));
  }
  const nobody = { userId: id as string as UserId, deviceId: null, joinedSeq: 0 };
  const rows = await changesSince(db, id, told, UNTOLD_MAX, nobody);
  const messages = rows.filter(({ changedSeq }) => changedSeq <= upTo);
  if (messages.length === 0) return [];
  const waiting = await db.query(waitingCiphertexts, [id, messages.map(({ seq }) => seq)]);
  return messages.map((message) => ({
    event: changeOf(message),
    sealed: { each: waiting.filter(({ seq }) => seq === message.seq) },
  }));
}
