/** State of one conversation's view, shared by its list and its composer: what is being answered, edited, pointed at. */
import type { Channel, Message } from "@lescopains/protocol/entities";
import type { MessageId } from "@lescopains/protocol/ids";
import { type Signal, signal } from "@preact/signals";
import { isDirect } from "../../app/direct.ts";
import { may } from "../../app/rights.ts";
import { say } from "../../ui/toasts.tsx";
import { errorText } from "../../app/errors.ts";
import { asApiError } from "../../net/api-error.ts";
import type { Conversation, Live } from "../../sync/live-types.ts";
import { reacted, reactionsShown } from "../../sync/reacting.ts";
import { noteEmoji } from "./emoji.ts";
import { contentOf, isMissedCall } from "./model.ts";
import { conversationWords } from "./words.ts";

/** One conversation on the screen. */
export interface Room {
  readonly live: Live;
  readonly conversation: Conversation;
  readonly replyTo: Signal<Message | null>;
  readonly editing: Signal<MessageId | null>;
  /** What an edit that was refused had made of the text, so that it is not lost. */
  readonly editText: Signal<string | null>;
  /** Asked before it is deleted. */
  readonly removing: Signal<Message | null>;
  /** The row with the pointer or the focus, whose actions show. */
  readonly activeKey: Signal<string | null>;
  /** The row that Tab leads to. */
  readonly focusKey: Signal<string | null>;
  /** What a reaction is being chosen for, and the box on the screen that the choice stands by. */
  readonly picking: Signal<{ readonly message: Message; readonly box: DOMRect } | null>;
  /** A message that was jumped to, for a moment. */
  readonly marked: Signal<MessageId | null>;
  /** Set by the list. */
  readonly list: { jumpTo: (id: MessageId) => void; toEnd: () => void; focusLast: () => void };
  /** Set by the composer. */
  readonly composer: { focus: () => void };
}

export function createRoom(live: Live, conversation: Conversation): Room {
  return {
    live,
    conversation,
    replyTo: signal(null),
    editing: signal(null),
    editText: signal(null),
    removing: signal(null),
    activeKey: signal(null),
    focusKey: signal(null),
    picking: signal(null),
    marked: signal(null),
    list: { jumpTo: nothing, toEnd: nothing, focusLast: nothing },
    composer: { focus: nothing },
  };
}

function nothing(): void {
  // Until the part that does it is on the screen.
}

/** What may be done with a message. */
export interface Rights {
  readonly react: boolean;
  readonly reply: boolean;
  readonly edit: boolean;
  readonly copy: boolean;
  readonly remove: boolean;
}

export function rightsOn(room: Room, message: Message, channel: Channel | undefined): Rights {
  const content = contentOf({ kind: "message", message }, room.conversation.overlays.value.get(message.id));
  const there = content !== null && channel !== undefined;
  const own = message.authorId === room.live.self.value.id;
  return {
    react: there && !message.encrypted && may(channel.permissions, "addReactions") && writable(channel),
    reply: there && !message.encrypted && may(channel.permissions, "sendMessages") && writable(channel),
    edit: there && own && !message.encrypted && !isMissedCall(message) && may(channel.permissions, "sendMessages"),
    copy: there && !message.encrypted && !isMissedCall(message),
    remove: there && (own || may(channel.permissions, "manageMessages")),
  };
}

/** Opens the choice of an emoji beside an element of the message. */
export function startReaction(room: Room, message: Message, beside: Element): void {
  room.picking.value = { message, box: beside.getBoundingClientRect() };
}

/** Adds one's own reaction, or takes it back; it shows at once. A refusal is said. */
export async function toggleReaction(room: Room, message: Message, emoji: string): Promise<void> {
  const { conversation, live } = room;
  const selfId = live.self.peek().id;
  // The message may have changed since it was drawn.
  const now = conversation.timeline.peek().messages.find(({ id }) => id === message.id) ?? message;
  const on = !reacted(reactionsShown(now, conversation.wishes.peek(), selfId), emoji, selfId);
  const channel = live.channel(message.channelId).peek();
  if (on) noteEmoji(emoji, channel !== undefined && isDirect(channel));
  try {
    await conversation.react(message.id, emoji, on);
  } catch (error) {
    const refusal = asApiError(error);
    say(refusal.code === "limit_reached" ? conversationWords.peek().reactionsFull : errorText(refusal));
  }
}

/** Whether this client can write there: encrypted channels of servers come later. */
function writable(channel: Channel): boolean {
  return !channel.encrypted || isDirect(channel);
}

export function startReply(room: Room, message: Message): void {
  room.editing.value = null;
  room.replyTo.value = message;
  room.composer.focus();
}

export function startEdit(room: Room, message: Message): void {
  room.replyTo.value = null;
  room.editText.value = null;
  room.editing.value = message.id;
}

/** Leaves the edit and gives the focus back to where one writes. */
export function endEdit(room: Room): void {
  room.editing.value = null;
  room.composer.focus();
}

/** Sends an edit, which shows at once. When it is refused, that is said, and the edit is open again with its text. */
export async function saveEdit(room: Room, message: Message, content: string): Promise<void> {
  endEdit(room);
  if (content === message.content) return;
  try {
    await room.conversation.edit(message.id, content);
  } catch (error) {
    room.editText.value = content;
    room.editing.value = message.id;
    say(errorText(asApiError(error)));
  }
}
