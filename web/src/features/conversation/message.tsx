import type { Message, Reaction } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { useComputed, useSignal } from "@preact/signals";
import { CornerUpLeft, Phone, PhoneMissed, RotateCw, ShieldAlert, X } from "lucide";
import { Component } from "preact";
import { errorText } from "../../app/errors.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { href } from "../../app/route.ts";
import { useVoiceHub } from "../../app/voice.ts";
import type { DmNotice } from "../../keys/port.ts";
import type { PendingMessage } from "../../sync/live-types.ts";
import { reactionsShown } from "../../sync/reacting.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import { say } from "../../ui/toasts.tsx";
import { GrowingText, isSendKey } from "./growing-text.tsx";
import { MessageActions } from "./message-actions.tsx";
import { MessageText } from "./message-text.tsx";
import { contentOf, entryBody, isMissedCall, replyOf, type Row, sameRow, sendableText, unreadableOf } from "./model.ts";
import { nameOf } from "./names.ts";
import { endEdit, type Room, saveEdit } from "./room.ts";
import { Reactions } from "./reactions.tsx";
import { dayText, headTimeText, momentText, timeText } from "./times.ts";
import { conversationWords } from "./words.ts";

interface MessageRowProps {
  readonly room: Room;
  readonly row: Row;
  /** How many new messages stand below the line, on the row that has it. */
  readonly newCount: number;
}

/** A row, drawn anew only when it shows something else: at 60 frames a second nothing must be done twice. */
export class MessageRow extends Component<MessageRowProps> {
  override shouldComponentUpdate(next: MessageRowProps): boolean {
    return next.newCount !== this.props.newCount || !sameRow(next.row, this.props.row);
  }

  override render({ room, row, newCount }: MessageRowProps) {
    return (
      <>
        {row.startsDay && <DayRule atMs={row.atMs} />}
        <NoticeLines room={room} notices={row.noticesAbove} />
        {row.startsNew && <NewLine count={newCount} />}
        <MessageBody room={room} row={row} />
        <NoticeLines room={room} notices={row.noticesBelow} />
      </>
    );
  }
}

const NO_REACTIONS: readonly Reaction[] = [];
/** The id of what is not stored yet; no message has it. */
const NO_ID = "pending";

function DayRule({ atMs }: { readonly atMs: number }) {
  return (
    <div class="day-rule">
      <h2>{dayText(atMs, Date.now())}</h2>
    </div>
  );
}

interface NoticeLinesProps {
  readonly room: Room;
  readonly notices: readonly DmNotice[];
}

/** Lines in a direct conversation that are no messages: somebody's safety number is another one from here on. */
export function NoticeLines({ room, notices }: NoticeLinesProps) {
  const words = conversationWords.value;
  return notices.map(({ id, channelId, userId }) => (
    <p key={id} class="notice-line">
      <Icon node={ShieldAlert} size={16} />
      <span>
        {words.identityChanged({ name: nameOf(room.live, userId) })}{" "}
        <a href={href({ name: "safety", channelId, userId })}>{words.compare}</a>
      </span>
    </p>
  ));
}

function NewLine({ count }: { readonly count: number }) {
  return (
    <div class="new-line" role="separator">
      <span>{conversationWords.value.newMessages(count)}</span>
    </div>
  );
}

function MessageBody({ room, row }: { readonly room: Room; readonly row: Row }) {
  const words = conversationWords.value;
  const { entry, authorId, atMs, startsGroup, key } = row;
  const message = entry.kind === "message" ? entry.message : undefined;
  const active = useComputed(() => room.activeKey.value === key);
  // The signal is read first: a row that began as pending must follow it too once it has a message.
  const editing = useComputed(() => room.editing.value === (message?.id ?? NO_ID));
  const marked = useComputed(() => room.marked.value === (message?.id ?? NO_ID));
  const picked = useComputed(() => room.picking.value?.message.id === (message?.id ?? NO_ID));
  const overlay = message === undefined ? undefined : room.conversation.overlays.value.get(message.id);
  const content = contentOf(entry, overlay);
  const shown =
    message === undefined
      ? NO_REACTIONS
      : reactionsShown(message, room.conversation.wishes.value, room.live.self.value.id);
  const name = nameOf(room.live, authorId);
  const failed = entry.kind === "pending" && entry.pending.state === "failed";
  const unsure = overlay !== undefined || (entry.kind === "pending" && !failed);
  const replyTo = replyOf(entry);
  const time = (
    <time class="message-time" dateTime={new Date(atMs).toISOString()} title={momentText(atMs)}>
      {startsGroup ? headTimeText(atMs, Date.now()) : timeText(atMs)}
    </time>
  );
  return (
    <article
      class="message"
      data-head={startsGroup}
      data-unsure={unsure}
      data-failed={failed}
      data-marked={marked.value}
      data-picked={picked.value}
      data-editing={editing.value}
    >
      {replyTo !== null && <Quote room={room} replyTo={replyTo} />}
      {startsGroup ? (
        <>
          <span class="message-avatar">
            <Avatar id={authorId ?? "gone"} name={name} side={40} />
          </span>
          <h3 class="message-head">
            <span class="message-author">{name}</span> {time}
          </h3>
        </>
      ) : (
        <span class="message-gutter">
          <span class="aside-text">{name}, </span>
          {time}
        </span>
      )}
      <div class="message-body">
        {editing.value && message !== undefined ? (
          <EditField room={room} message={message} />
        ) : content === null ? (
          <p class="message-quiet">{words.deleted}</p>
        ) : message?.encrypted === true ? (
          <UnreadableText room={room} message={message} name={name} />
        ) : isMissedCall(entryBody(entry)) ? (
          <MissedCall room={room} row={row} />
        ) : (
          <MessageText content={content} />
        )}
        {content !== null &&
          ((message?.editedAt !== undefined && message.editedAt !== null) || overlay?.kind === "edited") &&
          !editing.value && <span class="message-mark">({words.edited})</span>}
        {unsure && <span class="aside-text">({words.sending})</span>}
        {failed && entry.kind === "pending" && (
          <div class="message-failure" role="alert">
            <span>{words.failed({ why: whyNotSent(entry.pending) })}</span>
            <button type="button" class="text-button" onClick={() => room.conversation.retry(entry.pending.nonce)}>
              <Icon node={RotateCw} size={14} /> {words.tryAgain}
            </button>
            <button type="button" class="text-button" onClick={() => room.conversation.discard(entry.pending.nonce)}>
              <Icon node={X} size={14} /> {words.discard}
            </button>
          </div>
        )}
      </div>
      {message !== undefined && content !== null && shown.length > 0 && (
        <Reactions room={room} message={message} shown={shown} rowKey={key} />
      )}
      {active.value && message !== undefined && !editing.value && <MessageActions room={room} message={message} />}
    </article>
  );
}

function whyNotSent({ failure, refusal }: PendingMessage): string {
  return refusal === undefined ? errorText({ code: failure ?? "internal" }) : keysErrorText(refusal);
}

/** A call that nobody answered, and the way to make it good. */
function MissedCall({ room, row: { authorId, atMs } }: { readonly room: Room; readonly row: Row }) {
  const hub = useVoiceHub();
  const words = conversationWords.value;
  const time = timeText(atMs);
  const own = authorId === room.live.self.value.id;
  return (
    <p class="message-call">
      <Icon node={PhoneMissed} size={18} />
      <span>
        {own ? words.missedCallOwn({ time }) : words.missedCallFrom({ name: nameOf(room.live, authorId), time })}
      </span>
      <button type="button" class="text-button" onClick={() => hub.call(room.conversation.channelId, false)}>
        <Icon node={Phone} size={14} /> {words.callBack}
      </button>
    </p>
  );
}

interface UnreadableTextProps {
  readonly room: Room;
  readonly message: Message;
  readonly name: string;
}

/** Why there are no words, and what happens next. */
function UnreadableText({ room, message, name }: UnreadableTextProps) {
  const words = conversationWords.value;
  const unreadable = unreadableOf(message);
  if (unreadable === undefined) return <p class="message-quiet">{words.unreadable}</p>;
  if (unreadable.kind === "newer") return <p class="message-quiet">{words.unreadableNewer}</p>;
  const removed = unreadable.kind === "removed";
  if (unreadable.state === "asking") {
    return (
      <p class="message-quiet">{removed ? words.unreadableRemoved({ name }) : words.unreadableAsking({ name })}</p>
    );
  }
  if (unreadable.kind === "undecryptable" && unreadable.reason === "no_ciphertext")
    return <p class="message-quiet">{words.unreadableBefore}</p>;

  async function ask(): Promise<void> {
    try {
      await room.live.keys.ask("dm:askAgain", { channelId: message.channelId, messageId: message.id });
      say(conversationWords.peek().askedAgain);
    } catch (thrown) {
      say(keysErrorText(asKeysRefusal(thrown)));
    }
  }
  return (
    <p class="message-quiet">
      {removed ? words.unreadableRemoved({ name }) : words.unreadableGivenUp({ name })}{" "}
      <button type="button" class="text-button" onClick={() => void ask()}>
        <Icon node={RotateCw} size={14} /> {words.askAgain}
      </button>
    </p>
  );
}

/** What a message answers, in one line; pressing it goes there. */
function Quote({ room, replyTo }: { readonly room: Room; readonly replyTo: Message["id"] }) {
  const words = conversationWords.value;
  // Only its own message's change redraws the quote, not every change of the timeline.
  const target = useComputed(() => room.conversation.timeline.value.messages.find(({ id }) => id === replyTo));
  const message = target.value;
  const author: UserId | null | undefined = message === undefined ? undefined : message.authorId;
  const text =
    message === undefined
      ? words.quoteGone
      : message.deleted
        ? words.quoteDeleted
        : message.encrypted
          ? words.quoteUnreadable
          : lineOf(message);
  return (
    <button type="button" class="message-quote" onClick={() => room.list.jumpTo(replyTo)}>
      <Icon node={CornerUpLeft} size={14} />
      {author !== undefined && (
        <>
          <span class="aside-text">{words.repliesTo({ name: nameOf(room.live, author) })}</span>
          <span class="message-quote-author" aria-hidden="true">
            {nameOf(room.live, author)}
          </span>
        </>
      )}
      <span class="one-line">{text}</span>
    </button>
  );
}

const QUOTE_LENGTH = 140;

/** The beginning of a message for a line of its own, spoilers left out. */
export function lineOf(message: Message): string {
  if (isMissedCall(message)) return conversationWords.value.missedCall;
  return message.content
    .replaceAll(/\|\|[^]*?\|\|/g, "▒▒▒")
    .slice(0, QUOTE_LENGTH)
    .replaceAll(/\s+/g, " ")
    .trim();
}

function EditField({ room, message }: { readonly room: Room; readonly message: Message }) {
  const words = conversationWords.value;
  const text = useSignal(room.editText.peek() ?? message.content);
  const save = (): void => {
    if (text.peek().trim() === "") room.removing.value = message;
    else if (sendableText(text.peek())) void saveEdit(room, message, text.peek());
  };
  return (
    <div class="edit">
      <GrowingText
        value={text.value}
        aria-label={words.editing}
        onText={(next) => (text.value = next)}
        onElement={(element) => {
          element.focus();
          element.setSelectionRange(element.value.length, element.value.length);
        }}
        onKeyDown={(event) => {
          if (isSendKey(event)) {
            event.preventDefault();
            save();
          } else if (event.key === "Escape") {
            event.stopPropagation();
            endEdit(room);
          }
        }}
      />
      <p class="edit-help">
        <span class="edit-keys">{words.editHelp}</span>
        {text.value.length > LIMITS.contentLength && (
          <span class="composer-count" data-over="true">
            {words.tooLong(text.value.length - LIMITS.contentLength)}
          </span>
        )}
        <button type="button" class="text-button" onClick={() => endEdit(room)}>
          {words.cancel}
        </button>
        <button type="button" class="text-button" onClick={save}>
          {words.save}
        </button>
      </p>
    </div>
  );
}
