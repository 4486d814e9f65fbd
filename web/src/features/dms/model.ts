/** What the place of direct messages shows, decided without a DOM. */
import type { DirectChannel, User } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { nameScore } from "../../app/search.ts";
import type { DmMessage, DmState } from "../../keys/port.ts";

/** A conversation in the list. */
export interface DmRow {
  readonly channel: DirectChannel;
  readonly last: DmMessage | null;
  /** When something was last said; when it was opened, before anything was. */
  readonly atMs: number;
}

/** Conversations by their last word, the latest first. */
export function dmRows(
  channels: readonly DirectChannel[],
  stateOf: (channelId: ChannelId) => DmState | undefined,
): readonly DmRow[] {
  return channels
    .map((channel): DmRow => {
      const last = stateOf(channel.id)?.last ?? null;
      return { channel, last, atMs: Date.parse(last?.createdAt ?? channel.createdAt) };
    })
    .toSorted((one, other) => other.atMs - one.atMs || (one.channel.id < other.channel.id ? -1 : 1));
}

/** What the list says of the last message. */
export type Preview =
  | { readonly kind: "none" }
  | { readonly kind: "deleted" }
  | { readonly kind: "unreadable" }
  /** `own`: one called, and nobody answered. */
  | { readonly kind: "missedCall"; readonly own: boolean }
  | { readonly kind: "text"; readonly own: boolean; readonly authorId: UserId | null; readonly text: string };

const PREVIEW_LENGTH = 120;

export function previewOf(last: DmMessage | null, selfId: UserId): Preview {
  if (last === null) return { kind: "none" };
  if (last.deleted) return { kind: "deleted" };
  if (last.unreadable !== null) return { kind: "unreadable" };
  if (last.missedCall === true) return { kind: "missedCall", own: last.authorId === selfId };
  return {
    kind: "text",
    own: last.authorId === selfId,
    authorId: last.authorId,
    // Spoilers stay hidden, and marks of formatting say nothing in one line.
    text: last.content
      .replaceAll(/\|\|[^]*?\|\|/g, "▒▒▒")
      .slice(0, PREVIEW_LENGTH)
      .replaceAll(/[*_`~]{1,3}|^[>#-]+ /gm, "")
      .replaceAll(/\s+/g, " ")
      .trim(),
  };
}

/** Everybody one may write to, as far as they are known: members of one's places and friends, each once, oneself aside. */
export function contactsIn(lists: readonly (readonly User[])[], selfId: UserId): readonly User[] {
  const byId = new Map<UserId, User>();
  for (const user of lists.flat()) if (user.id !== selfId) byId.set(user.id, user);
  return [...byId.values()];
}

/** People whose name answers what was typed, best first; all of them by name while nothing is. */
export function matching(people: readonly User[], query: string, collator: Intl.Collator): readonly User[] {
  const byName = people.toSorted(
    (one, other) => collator.compare(one.displayName, other.displayName) || (one.id < other.id ? -1 : 1),
  );
  const wanted = query.trim().replace(/^@/, "");
  if (wanted === "") return byName;
  return byName
    .map((person) => ({
      person,
      score: Math.max(nameScore(person.displayName, wanted), nameScore(person.username, wanted)),
    }))
    .filter(({ score }) => score > 0)
    .toSorted((one, other) => other.score - one.score)
    .map(({ person }) => person);
}
