import type { Message } from "@lescopains/protocol/entities";
import { Copy, Ellipsis, Pencil, Reply, SmilePlus, Trash2 } from "lucide";
import { useRef } from "preact/hooks";
import { copyText } from "../../app/copy.ts";
import { IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Menu, type MenuItem, type QuickItem } from "../../ui/menu.tsx";
import { reacted, reactionsShown } from "../../sync/reacting.ts";
import { quickEmoji } from "./emoji.ts";
import { contentOf } from "./model.ts";
import { rightsOn, type Room, startEdit, startReaction, startReply, toggleReaction } from "./room.ts";
import { conversationWords } from "./words.ts";

interface MessageActionsProps {
  readonly room: Room;
  readonly message: Message;
}

/** What one can do with the message under the pointer or the focus: the usual at hand, everything in the menu. */
export function MessageActions({ room, message }: MessageActionsProps) {
  const toolbar = useRef<HTMLDivElement>(null);
  const words = conversationWords.value;
  const rights = rightsOn(room, message, room.live.channel(message.channelId).value);
  const items: MenuItem[] = [];
  if (rights.reply) items.push({ label: words.reply, icon: Reply, onSelect: () => startReply(room, message) });
  if (rights.edit) items.push({ label: words.edit, icon: Pencil, onSelect: () => startEdit(room, message) });
  if (rights.copy) items.push({ label: words.copy, icon: Copy, onSelect: () => void copyMessage(room, message) });
  if (rights.remove) {
    items.push({ label: words.remove, icon: Trash2, danger: true, onSelect: () => (room.removing.value = message) });
  }
  if (items.length === 0) return null;
  const choose = (): void => {
    if (toolbar.current !== null) startReaction(room, message, toolbar.current);
  };
  const quick: readonly QuickItem[] = rights.react
    ? [...quickReactions(room, message), { label: words.react, sign: <Icon node={SmilePlus} />, onSelect: choose }]
    : [];
  return (
    <div ref={toolbar} class="message-actions" role="toolbar" aria-label={words.actions}>
      {rights.react && (
        <IconButton icon={SmilePlus} label={words.react} keys={words.reactKey} tabIndex={-1} onClick={choose} />
      )}
      {rights.reply && (
        <IconButton
          icon={Reply}
          label={words.reply}
          keys={words.replyKey}
          tabIndex={-1}
          onClick={() => startReply(room, message)}
        />
      )}
      {rights.edit && (
        <IconButton
          icon={Pencil}
          label={words.edit}
          keys={words.editKey}
          tabIndex={-1}
          onClick={() => startEdit(room, message)}
        />
      )}
      <Menu
        label={words.actions}
        items={items}
        quick={quick}
        trigger={(props) => (
          <button
            {...props}
            type="button"
            class="icon-button"
            aria-label={words.more}
            data-hint={words.more}
            data-more
            tabIndex={-1}
          >
            <Icon node={Ellipsis} />
          </button>
        )}
      />
    </div>
  );
}

/** The emoji used last, each with what pressing it does. */
function quickReactions(room: Room, message: Message): QuickItem[] {
  const selfId = room.live.self.value.id;
  const shown = reactionsShown(message, room.conversation.wishes.value, selfId);
  return quickEmoji.value.map((emoji) => ({
    label: conversationWords.value.reactWith({ emoji }),
    sign: <span class="emoji">{emoji}</span>,
    checked: reacted(shown, emoji, selfId),
    onSelect: () => void toggleReaction(room, message, emoji),
  }));
}

async function copyMessage(room: Room, message: Message): Promise<void> {
  const content = contentOf({ kind: "message", message }, room.conversation.overlays.peek().get(message.id));
  if (content !== null) await copyText(content);
}

/** Keys that act on the row with the focus. Answers whether the key was one. */
export function actOnKey(room: Room, message: Message, row: Element, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const rights = rightsOn(room, message, room.live.channel(message.channelId).peek());
  const key = event.key.toLowerCase();
  if (key === "r" && rights.reply) startReply(room, message);
  else if (key === "+" && rights.react) startReaction(room, message, row.querySelector(".message-actions") ?? row);
  else if (key === "e" && rights.edit) startEdit(room, message);
  else if (key === "delete" && rights.remove) room.removing.value = message;
  else return false;
  return true;
}
