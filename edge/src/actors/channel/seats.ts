import type { ChannelId, JoinId, SessionId } from "@lescopains/protocol/ids";
import { allows, type PermissionBits } from "@lescopains/protocol/permissions";
import type { CloseReason } from "@lescopains/protocol/sfu/room";
import type { Right } from "@lescopains/protocol/sfu/token";
import type { Ringing, VoiceEnd, VoiceMember, VoiceRoster } from "@lescopains/protocol/voice";
import type { SeatRow } from "../../db/voice.ts";

/** A place in a voice channel or a call. */
export type Seat = SeatRow;

/** What everyone who may view the channel sees of a seat. */
export function memberOf(seat: Seat): VoiceMember {
  const { userId, deviceId, joinId, since, muted, deafened, serverMuted, serverDeafened, camera, screenSharing } = seat;
  return { userId, deviceId, joinId, since, muted, deafened, serverMuted, serverDeafened, camera, screenSharing };
}

/** The call that rings, if any. */
export function ringingOf(seats: Iterable<Seat>): Ringing | null {
  for (const { userId, callId, ringing, ringingUntil } of seats) {
    if (callId !== null && ringing !== null && ringingUntil !== null)
      return { callId, callerId: userId, userIds: ringing, until: ringingUntil };
  }
  return null;
}

export function rosterOf(channelId: ChannelId, epoch: number, seats: readonly Seat[]): VoiceRoster {
  return { channelId, epoch, members: seats.map(memberOf), ringing: ringingOf(seats) };
}

/** Rosters out of the seats of several channels. */
export function rostersOf(rows: readonly (Seat & { readonly channelId: ChannelId; readonly epoch: number })[]) {
  return [...Map.groupBy(rows, ({ channelId }) => channelId)].map(([channelId, seats]) =>
    rosterOf(channelId, seats[0]?.epoch ?? 0, seats),
  );
}

/** What the node lets a person send and hear: a moderator's word stands above permissions. */
export function rightsOf(
  bits: PermissionBits,
  { serverMuted, serverDeafened }: Pick<Seat, "serverMuted" | "serverDeafened">,
): Right[] {
  const rights: Right[] = [];
  if (allows(bits, "speak") && !serverMuted) rights.push("speak");
  if (allows(bits, "video")) rights.push("video");
  if (allows(bits, "shareScreen")) rights.push("screen");
  if (!serverDeafened) rights.push("listen");
  return rights;
}

/** Whether someone with media comes back to a place (`joinId`) that the person has taken with another session since. */
export function comesTooLate(
  held: Pick<Seat, "sessionId">,
  by: { readonly sessionId: SessionId; readonly joinId?: JoinId | undefined; readonly media?: object },
): boolean {
  return by.media !== undefined && by.joinId !== undefined && held.sessionId !== by.sessionId;
}

/** Someone whose media is in the room, by a token of a stay. */
export type MediaPeer = Pick<Seat, "joinId">;

/** What a node says of a room: who is there, and why somebody has gone since it said so last. */
export interface RoomReport {
  readonly node: string;
  readonly peers: readonly MediaPeer[];
  readonly gone: readonly (MediaPeer & { readonly reason: CloseReason })[];
}

/** What follows from a node's report. */
export interface Judged {
  /** Media of these is there now. */
  readonly connected: Seat[];
  /** Media of these is there no longer, and with it their places. */
  readonly ended: { readonly seat: Seat; readonly reason: VoiceEnd }[];
  /** Media of these is there no longer, and comes back elsewhere. */
  readonly displaced: Seat[];
  /** These have no place here, and no business in the room. */
  readonly strangers: MediaPeer[];
}

/** What becomes of a place when media goes for this reason. Without one (the node, or the edge, was away) the person may come back. */
const AFTER: Readonly<Record<CloseReason, VoiceEnd | "displaced" | "stays">> = {
  left: "left",
  lost: "lost",
  kicked: "lost",
  moved: "lost",
  flood: "lost",
  room_closed: "displaced",
  encrypted: "displaced",
  worker_died: "displaced",
  draining: "displaced",
  // Another connection of the same device is there.
  replaced: "stays",
};

/** [VO7] Compares the places of a channel with what a node has in its room. */
export function judgeReport(seats: readonly Seat[], { node, peers, gone }: RoomReport): Judged {
  const judged: Judged = { connected: [], ended: [], displaced: [], strangers: [] };
  const welcome = new Set<MediaPeer>();
  const isElsewhere = seats.some((seat) => seat.node !== null && seat.node !== node);
  for (const seat of seats) {
    // Whoever lost a node and is found on this one, which was only out of sight, is back, unless the others went on without it.
    if (seat.node !== node && !(seat.node === null && seat.wasConnected)) continue;
    // Not by the session: it may have given up one stay and begun another.
    const mine = (peer: MediaPeer): boolean => peer.joinId === seat.joinId;
    const present = peers.filter(mine);
    for (const peer of present) welcome.add(peer);
    if (seat.node === null && isElsewhere) continue;
    if (present.length > 0 && seat.dueMs !== null) judged.connected.push(seat);
    // Who has not come yet has until `due`.
    if (present.length > 0 || seat.dueMs !== null) continue;
    const reason = gone.findLast(mine)?.reason;
    const after = reason === undefined ? "displaced" : AFTER[reason];
    if (after === "displaced") judged.displaced.push(seat);
    else if (after !== "stays") judged.ended.push({ seat, reason: after });
  }
  judged.strangers.push(...peers.filter((peer) => !welcome.has(peer)));
  return judged;
}
