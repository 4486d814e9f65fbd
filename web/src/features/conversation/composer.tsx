import type { Channel, DirectChannel } from "@lescopains/protocol/entities";
import { computed, useComputed } from "@preact/signals";
import { SendHorizontal, X } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { isDirect } from "../../app/direct.ts";
import { region } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { may } from "../../app/rights.ts";
import { IconButton } from "../../ui/button.tsx";
import { lineOf } from "./message.tsx";
import { GrowingText, isSendKey } from "./growing-text.tsx";
import { lastOwnMessage, readersOf, remainingShown, rowsOf, sendableText } from "./model.ts";
import { nameOf } from "./names.ts";
import { type Room, startEdit } from "./room.ts";
import { conversationWords } from "./words.ts";

interface ComposerProps {
  readonly room: Room;
  readonly channel: Channel;
  /** What the conversation is called. */
  readonly name: string;
}

/** Where one writes. It takes text whatever the connection does; what is written is sent as soon as it can be. */
export function Composer({ room, channel, name }: ComposerProps) {
  const words = conversationWords.value;
  if (channel.encrypted && !isDirect(channel)) return <p class="composer-closed">{words.encryptedChannel}</p>;
  if (!may(channel.permissions, "sendMessages")) return <p class="composer-closed">{words.mayNotWrite}</p>;
  return <OpenComposer room={room} channel={channel} name={name} />;
}

function OpenComposer({ room, channel, name }: ComposerProps) {
  const words = conversationWords.value;
  const { conversation } = room;
  const field = useRef<HTMLTextAreaElement>(null);
  const text = conversation.draft.value;
  const remaining = remainingShown(text);
  const label = isDirect(channel) ? words.composerTo({ name }) : words.composer({ channel: name });

  useEffect(() => {
    room.composer.focus = () => field.current?.focus();
  }, [room]);

  // Whoever begins to type, wherever they are in the view, means to write.
  useEffect(() => {
    const ending = new AbortController();
    document.addEventListener("keydown", (event) => typeAnywhere(event, field.current), { signal: ending.signal });
    return () => ending.abort();
  }, []);

  function send(): void {
    if (!sendableText(text)) return;
    conversation.send({ content: text.trim(), replyTo: room.replyTo.peek()?.id ?? null });
    conversation.setDraft("");
    room.replyTo.value = null;
    field.current?.focus();
  }

  function editLast(): void {
    const { messages, hasOlder } = conversation.timeline.peek();
    const message = lastOwnMessage(rowsOf(messages, [], room.live.self.peek().id, undefined, hasOlder));
    if (message !== undefined) startEdit(room, message);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (isSendKey(event)) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "" && !event.shiftKey) {
      event.preventDefault();
      editLast();
    } else if (event.key === "Escape") {
      if (room.replyTo.peek() !== null) room.replyTo.value = null;
      else {
        conversation.clearUnreadLine();
        room.list.toEnd();
      }
    }
  }

  return (
    <div
      class="composer-frame"
      onFocusIn={() => {
        room.activeKey.value = null;
      }}
    >
      <div class="composer" data-over={remaining !== undefined && remaining < 0}>
        <ReplyBar room={room} />
        <div class="composer-line">
          <GrowingText
            value={text}
            aria-label={label}
            placeholder={label}
            enterkeyhint="send"
            first
            onText={(next) => {
              conversation.setDraft(next);
              if (next.trim() !== "") conversation.noteTyping();
            }}
            onElement={(element) => {
              field.current = element;
            }}
            onKeyDown={onKeyDown}
          />
          {remaining !== undefined && (
            <span class="composer-count" data-over={remaining < 0} role="status">
              <span aria-hidden="true">{remaining}</span>
              <span class="aside-text">{remaining < 0 ? words.tooLong(-remaining) : words.remaining(remaining)}</span>
            </span>
          )}
          <IconButton icon={SendHorizontal} label={words.send} keys="⏎" disabled={!sendableText(text)} onClick={send} />
        </div>
      </div>
      <TypingLine room={room} channel={channel} />
    </div>
  );
}

function ReplyBar({ room }: { readonly room: Room }) {
  const words = conversationWords.value;
  const message = room.replyTo.value;
  if (message === null) return null;
  return (
    <div class="composer-reply">
      <span class="one-line">
        <strong>{words.replyingTo({ name: nameOf(room.live, message.authorId) })}</strong> {lineOf(message)}
      </span>
      <IconButton
        icon={X}
        label={words.cancelReply}
        keys="Esc"
        onClick={() => {
          room.replyTo.value = null;
          room.composer.focus();
        }}
      />
    </div>
  );
}

/** Who is writing. Its line is always there, so that nothing moves when someone begins. */
function TypingLine({ room, channel }: { readonly room: Room; readonly channel: Channel }) {
  const words = conversationWords.value;
  const names = useComputed(() => room.conversation.typing.value.map((userId) => nameOf(room.live, userId)));
  const [first, second, third] = names.value;
  const text =
    first === undefined
      ? ""
      : second === undefined
        ? words.typingOne({ first })
        : third === undefined
          ? words.typingTwo({ first, second })
          : words.typingMany;
  return (
    <p class="typing-line one-line" aria-live="off">
      {text !== "" && (
        <span class="typing-dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      )}
      {text === "" && isDirect(channel) ? <ReadBy room={room} channel={channel} /> : text}
    </p>
  );
}

const list = computed(() => new Intl.ListFormat(region.value, { style: "long", type: "conjunction" }));

/** Who has read one's own last word, as long as it is the last. */
function ReadBy({ room, channel }: { readonly room: Room; readonly channel: DirectChannel }) {
  const keys = useKeys();
  const words = conversationWords.value;
  const { messages, hasNewer } = room.conversation.timeline.value;
  const selfId = room.live.self.value.id;
  const last = messages.at(-1);
  const pending = room.conversation.pending.value.length > 0;
  if (last === undefined || hasNewer || pending || last.deleted || last.authorId !== selfId) return null;
  const readers = readersOf(last.seq, keys.dm(channel.id).value?.readBy ?? {}, channel, selfId);
  if (readers.length === 0) return null;
  const all = channel.type === "dm" || readers.length === channel.participants.length - 1;
  const names = list.value.format(readers.map(({ displayName }) => displayName));
  return <span>{all ? words.readByAll : words.readBy({ names })}</span>;
}

/** Takes a letter typed outside of any field to the composer. */
function typeAnywhere(event: KeyboardEvent, field: HTMLTextAreaElement | null): void {
  const { target } = event;
  const letter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!letter || event.defaultPrevented || field === null || !(target instanceof HTMLElement)) return;
  // Elsewhere letters have their own meaning: in fields, menus, dialogs, and on a message.
  if (
    target.closest("input, textarea, select, [contenteditable], [role=menu], dialog, [data-key], [data-roving]") !==
    null
  )
    return;
  field.focus();
}
