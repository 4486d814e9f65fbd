import type { Message, Reaction } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { computed, useComputed } from "@preact/signals";
import { SmilePlus } from "lucide";
import { region } from "../../app/i18n.ts";
import type { Live } from "../../sync/live-types.ts";
import { Icon } from "../../ui/icon.tsx";
import { nameOf } from "./names.ts";
import "./reactions.css";
import { rightsOn, type Room, startReaction, toggleReaction } from "./room.ts";
import { conversationWords } from "./words.ts";

interface ReactionsProps {
  readonly room: Room;
  readonly message: Message;
  /** As they show now; not empty. */
  readonly shown: readonly Reaction[];
  /** The row's: its reactions can be reached by Tab while it is the one that Tab leads to. */
  readonly rowKey: string;
}

/** Who reacted to a message: a button for each emoji, which adds or takes back one's own, and one to choose another. */
export function Reactions({ room, message, shown, rowKey }: ReactionsProps) {
  const words = conversationWords.value;
  const { live } = room;
  const tabIndex = useComputed(() => (room.focusKey.value === rowKey ? 0 : -1)).value;
  const selfId = live.self.value.id;
  const mayReact = rightsOn(room, message, live.channel(message.channelId).value).react;
  return (
    <ul class="reactions" role="list" aria-label={words.reactions}>
      {shown.map(({ emoji, userIds }) => {
        const own = userIds.includes(selfId);
        const names = namesOf(live, userIds, selfId);
        return (
          <li key={emoji}>
            <button
              type="button"
              class="reaction"
              aria-pressed={own}
              aria-disabled={!mayReact && !own}
              aria-label={words.reaction({ emoji, count: userIds.length, names })}
              data-hint={names}
              tabIndex={tabIndex}
              onClick={() => {
                if (mayReact || own) void toggleReaction(room, message, emoji);
              }}
            >
              <span class="emoji">{emoji}</span>
              <span class="reaction-count">{userIds.length}</span>
            </button>
          </li>
        );
      })}
      {mayReact && (
        <li>
          <button
            type="button"
            class="reaction reaction-more"
            aria-label={words.react}
            data-hint={words.react}
            tabIndex={tabIndex}
            onClick={(event) => startReaction(room, message, event.currentTarget)}
          >
            <Icon node={SmilePlus} size={18} />
          </button>
        </li>
      )}
    </ul>
  );
}

/** So many are named; a message can have hundreds. */
const NAMED = 12;
const list = computed(() => new Intl.ListFormat(region.value, { type: "conjunction" }));

/** "you, Chloé and 3 others": the reader first, then in the order in which they reacted. */
function namesOf(live: Live, userIds: Reaction["userIds"], selfId: UserId): string {
  const words = conversationWords.value;
  const ordered = userIds.includes(selfId) ? [selfId, ...userIds.filter((id) => id !== selfId)] : userIds;
  const names = ordered.slice(0, NAMED).map((id) => (id === selfId ? words.you : nameOf(live, id)));
  const rest = ordered.length - names.length;
  return list.value.format(rest > 0 ? [...names, words.others(rest)] : names);
}
