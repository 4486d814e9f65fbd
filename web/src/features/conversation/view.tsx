import type { ChannelId } from "@lescopains/protocol/ids";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { Composer } from "./composer.tsx";
import "./conversation.css";
import { MessageList } from "./message-list.tsx";
import { createRoom, endEdit, type Room } from "./room.ts";
import { conversationWords } from "./words.ts";

export interface ConversationViewProps {
  readonly channelId: ChannelId;
}

/** A channel's messages and the place to write. */
export function ConversationView({ channelId }: ConversationViewProps) {
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
  return (
    <section class="conversation" aria-label={conversationWords.value.messages({ channel: channel.name })}>
      {opened && <MessageList key={channelId} room={room} channelName={channel.name} />}
      <Composer room={room} channel={channel} />
      <RemoveDialog room={room} />
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
