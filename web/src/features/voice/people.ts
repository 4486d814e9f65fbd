import type { JoinId, UserId } from "@lescopains/protocol/ids";
import type { VoiceFlags, VoiceMember } from "@lescopains/protocol/voice";
import type { Source } from "@lescopains/protocol/sfu/media";
import type { Remote } from "../../voice/receiving.ts";
import { voiceWords } from "./words.ts";

/** A rectangle of the stage: a person, or a screen. */
export interface Tile {
  readonly key: string;
  readonly kind: "person" | "screen";
  readonly member: VoiceMember;
  /** The picture to be watched; undefined: there is none. */
  readonly producerId: string | undefined;
}

/** Members, and oneself on the way in: one's own tile stands from the first moment, and stays where it is. */
export function withSelf(members: readonly VoiceMember[], selfId: UserId, flags: VoiceFlags): readonly VoiceMember[] {
  if (members.some(({ userId }) => userId === selfId)) return members;
  const coming: VoiceMember = {
    ...flags,
    userId: selfId,
    // Whichever it is: nothing of one's own is received.
    deviceId: 1,
    joinId: selfId as string as JoinId,
    since: "",
    serverMuted: false,
    serverDeafened: false,
  };
  return [...members, coming];
}

/** What stands on the stage: screens first, then people in the order they came. */
export function tilesOf(
  members: readonly VoiceMember[],
  remotes: ReadonlyMap<string, Remote>,
  selfId: UserId,
): readonly Tile[] {
  const sent = new Map<string, string>();
  for (const { userId, deviceId, source, paused, producerId } of remotes.values()) {
    if (!paused) sent.set(placeOf(userId, deviceId, source), producerId);
  }
  const people: Tile[] = [];
  const screens: Tile[] = [];
  for (const member of members) {
    const { userId, deviceId, joinId } = member;
    const camera = sent.get(placeOf(userId, deviceId, "camera"));
    const key = userId === selfId ? selfId : joinId;
    people.push({ key, kind: "person", member, producerId: camera });
    const screen = sent.get(placeOf(userId, deviceId, "screen"));
    if (screen !== undefined || (userId === selfId && member.screenSharing)) {
      screens.push({ key: `${key} screen`, kind: "screen", member, producerId: screen });
    }
  }
  return [...screens, ...people];
}

function placeOf(userId: UserId, deviceId: number | null, source: Source): string {
  return `${userId} ${deviceId} ${source}`;
}

/** Narrower by this much is no loss when people then stand side by side. */
const NEARLY = 0.8;

/** How wide `count` pictures of 16:9 are in a box, all of them in view, with gaps between them: nearly as wide as can be, in few rows. */
export function tileWidth(count: number, width: number, height: number, gap: number): number {
  const widths = Array.from({ length: count }, (_, index) => {
    const columns = index + 1;
    const rows = Math.ceil(count / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const down = (height - gap * (rows - 1)) / rows;
    return Math.floor(Math.min(across, (down * 16) / 9));
  });
  const widest = Math.max(...widths);
  return widths.findLast((one) => one >= widest * NEARLY) ?? widest;
}

/** What a member does, in words, for whoever does not see its marks. */
export function stateWords(member: VoiceMember, speaking: boolean): string {
  const words = voiceWords.value;
  return [
    speaking ? words.stateSpeaking : "",
    member.deviceId === null ? words.stateNoKeys : "",
    member.serverMuted ? words.stateServerMuted : member.muted ? words.stateMuted : "",
    member.deafened || member.serverDeafened ? words.stateDeafened : "",
    member.camera ? words.stateCamera : "",
    member.screenSharing ? words.stateScreen : "",
  ]
    .filter((text) => text !== "")
    .join(", ");
}

/** Which tile is large: the one that was chosen, else a screen, else who speaks when that is wanted. */
export function largeTile(
  tiles: readonly Tile[],
  {
    chosen,
    dismissed,
    speakerId,
  }: { readonly chosen: string | null; readonly dismissed: ReadonlySet<string>; readonly speakerId: UserId | null },
  selfId: UserId,
): Tile | undefined {
  const pinned = tiles.find(({ key }) => key === chosen);
  if (pinned !== undefined) return pinned;
  const screen = tiles.find(
    ({ kind, key, member }) => kind === "screen" && member.userId !== selfId && !dismissed.has(key),
  );
  if (screen !== undefined) return screen;
  return speakerId === null
    ? undefined
    : tiles.find(({ kind, member }) => kind === "person" && member.userId === speakerId);
}
