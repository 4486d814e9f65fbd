import type { ChannelId } from "@lescopains/protocol/ids";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { channelName, isDirect } from "../../app/direct.ts";
import { Composer } from "./composer.tsx";
import "./conversation.css";
import { EmojiPicker } from "./emoji-picker.tsx";
import { MessageList } from "./message-list.tsx";
import { createRoom, endEdit, type Room } from "./room.ts";
import { conversationWords } from "./words.ts";

export interface ConversationViewProps {
  readonly channelId: ChannelId;
  /** Stands in place of the composer, when nothing may be written for now. */
  readonly closed?: ComponentChildren;
}

/** A channel's messages and the place to write. */
export function ConversationView({ channelId, closed }: ConversationViewProps) {
  const live = useLive();
  const conversation = live.conversation(channelId);
  const room = useMemo(() => createRoom(live, conversation), [live, conversation]);
  const channel = live.channel(channelId).value;
  const [opened, setOpened] = useState(false);
  // The list comes after the opening, which notes where the reader stopped; drawn first, it would mark all as read.
  useLayoutEffect(() => {
    const leave = conversation.open();
    setOpened(true);
    return leave;
  }, [conversation]);
  if (channel === undefined) return null;
  const words = conversationWords.value;
  const name = channelName(channel, live.self.value.id);
  const direct = isDirect(channel);
  return (
    <section
      class="conversation"
      aria-label={direct ? words.messagesWith({ name }) : words.messages({ channel: name })}
    >
      {opened && <MessageList key={channelId} room={room} name={name} direct={direct} />}
      {closed ?? <Composer room={room} channel={channel} name={name} />}
      <RemoveDialog room={room} />
      {room.picking.value !== null && (
        <EmojiPicker key={room.picking.value.message.id} room={room} {...room.picking.value} />
      )}
    </section>
  );
}

function RemoveDialog({ room }: { readonly room: Room }) {
  const words = conversationWords.value;
  const message = room.removing.value;
  if (message === null) return null;
  return (
    <Confirm
      title={words.removeTitle}
      action={words.remove}
      onConfirm={() => room.conversation.remove(message.id)}
      onClose={() => {
        room.removing.value = null;
        endEdit(room);
      }}
    >
      <p>{words.removeHelp}</p>
    </Confirm>
  );
}
