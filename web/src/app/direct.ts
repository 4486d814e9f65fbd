import type { Channel, DirectChannel, User } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { computed } from "@preact/signals";
import { directWords } from "./direct-words.ts";
import { region } from "./i18n.ts";

/** Names that are written out in the title of a group; the others are counted. */
const NAMED = 3;

const list = computed(() => new Intl.ListFormat(region.value, { style: "long", type: "conjunction" }));

/** Several names, the way the language lists them. Follows it when read in a component. */
export function listNames(names: readonly string[]): string {
  return list.value.format(names);
}

export function isDirect(channel: Channel): channel is DirectChannel {
  return channel.type === "dm" || channel.type === "group_dm";
}

/** Everyone in a direct conversation but the reader. */
export function othersIn(channel: DirectChannel, selfId: UserId): readonly User[] {
  return channel.participants.filter(({ id }) => id !== selfId);
}

/** What a direct conversation is called: after the people one has it with. Follows the language when read in a component. */
export function directName(channel: DirectChannel, selfId: UserId): string {
  const words = directWords.value;
  const names = othersIn(channel, selfId).map(({ displayName }) => displayName);
  if (names.length === 0) return channel.type === "dm" ? words.goneAccount : words.onlyYou;
  const more = names.length - NAMED;
  // One more name takes no more room than "1 other".
  if (more <= 1) return listNames(names);
  return listNames([...names.slice(0, NAMED), words.others(more)]);
}

/** The name of any channel, as it is shown. */
export function channelName(channel: Channel, selfId: UserId): string {
  return isDirect(channel) ? directName(channel, selfId) : channel.name;
}

/** The conversation of two that one already has with a person. */
export function pairWith(dms: readonly DirectChannel[], userId: UserId): DirectChannel | undefined {
  return dms.find(({ type, participants }) => type === "dm" && participants.some(({ id }) => id === userId));
}
