import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { lineOf } from "./message.tsx";
import { nameOf } from "./names.ts";
import type { Room } from "./room.ts";
import { conversationWords } from "./words.ts";

/** More new messages than this at once are counted rather than read out. */
const READ_OUT_MAX = 3;

/** Tells screen readers of new messages, politely; the list itself may not, since scrolling redraws it. */
export function Announcer({ room }: { readonly room: Room }) {
  const text = useSignal("");
  const lastSeq = useRef<number>(-1);
  useSignalEffect(() => {
    const { messages, loaded, hasNewer } = room.conversation.timeline.value;
    const newest = messages.at(-1)?.seq ?? 0;
    const before = lastSeq.current;
    lastSeq.current = loaded ? newest : -1;
    if (!loaded || hasNewer || before < 0 || newest <= before) return;
    const selfId = room.live.self.peek().id;
    const fresh = messages.filter(({ seq, authorId, deleted }) => seq > before && authorId !== selfId && !deleted);
    if (fresh.length === 0) return;
    const words = conversationWords.peek();
    text.value =
      fresh.length > READ_OUT_MAX
        ? words.newMessages(fresh.length)
        : fresh
            .map((message) =>
              words.announced({
                name: nameOf(room.live, message.authorId),
                text: message.encrypted ? words.unreadable : lineOf(message),
              }),
            )
            .join(" ");
  });
  return (
    <div class="aside-text" role="log" aria-live="polite">
      {text.value}
    </div>
  );
}
