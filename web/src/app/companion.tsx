import type { Channel } from "@lescopains/protocol/entities";
import type { LeaveReason } from "@lescopains/protocol/down";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { channelWords } from "../features/channels/words.ts";
import { dmRows } from "../features/dms/model.ts";
import { dmWords } from "../features/dms/words.ts";
import { serverWords } from "../features/servers/words.ts";
import type { Live } from "../sync/live-types.ts";
import { say } from "../ui/toasts.tsx";
import { useLive } from "./client-context.ts";
import { ConnectionLine } from "./connection-line.tsx";
import { directName } from "./direct.ts";
import { useKeys } from "./keys.ts";
import { href } from "./route.ts";
import { navigate, route } from "./router.ts";
import { CallCompanion } from "./call-companion.tsx";
import { Switcher } from "./switcher.tsx";

const LEFT = {
  left: "leftLeft",
  kicked: "leftKicked",
  banned: "leftBanned",
  deleted: "leftDeleted",
} as const satisfies Record<LeaveReason, string>;

/** Leaves the views of what is no longer there, with a word about why. */
function followHappenings(live: Live): () => void {
  return live.onHappening((happening) => {
    const view = route.peek();
    if (happening.kind === "serverLeft") {
      const { server, reason } = happening;
      say(serverWords.value[LEFT[reason]]({ name: server.name }));
      if ("serverId" in view && view.serverId === server.id) navigate("/", { replace: true });
      return;
    }
    if (happening.kind === "dmRemoved") {
      const { channel } = happening;
      say(dmWords.value.left({ name: directName(channel, live.self.peek().id) }));
      if ("channelId" in view && view.channelId === channel.id) navigate(href({ name: "dms" }), { replace: true });
      return;
    }
    const { channel } = happening;
    say(channelWords.value.removed({ name: channel.name }));
    if ("serverId" in view && "channelId" in view && view.channelId === channel.id) {
      navigate(href({ name: "server", serverId: view.serverId }), { replace: true });
    }
  });
}

/** The channel after or before the present one, around the ends. */
function neighbour(channels: readonly Channel[], channelId: string, by: -1 | 1): Channel | undefined {
  const index = channels.findIndex(({ id }) => id === channelId);
  return index === -1 ? undefined : channels.at((index + by) % channels.length);
}

/** What goes with one through all views after sign-in: the connection's state, keys that work everywhere, news of losses. */
export function Companion() {
  const live = useLive();
  const keys = useKeys();
  const switching = useSignal(false);
  useEffect(() => followHappenings(live), [live]);
  useEffect(() => {
    const ending = new AbortController();
    addEventListener(
      "keydown",
      (event) => {
        const command = event.ctrlKey || event.metaKey;
        if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
          event.preventDefault();
          // Another dialog keeps what is in it.
          if (document.querySelector("dialog[open]") === null) switching.value = true;
        } else if (command && event.key === "/") {
          event.preventDefault();
          navigate(href({ name: "settings", page: "keyboard" }));
        } else if (event.altKey && !event.shiftKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
          const view = route.peek();
          const by = event.key === "ArrowUp" ? -1 : 1;
          if (view.name === "channel" || view.name === "members" || view.name === "chat") {
            const next = neighbour(live.channels(view.serverId).peek(), view.channelId, by);
            event.preventDefault();
            if (next !== undefined) navigate(href({ ...view, name: "channel", channelId: next.id }));
          } else if (view.name === "dm" || view.name === "dmPeople") {
            const rows = dmRows(live.dms.peek(), (id) => keys.dm(id).peek()).map(({ channel }) => channel);
            const next = neighbour(rows, view.channelId, by);
            event.preventDefault();
            if (next !== undefined) navigate(href({ name: "dm", channelId: next.id }));
          }
        }
      },
      { signal: ending.signal },
    );
    return () => ending.abort();
  }, [live, keys]);
  return (
    <>
      <ConnectionLine />
      <CallCompanion />
      {switching.value && <Switcher onClose={() => (switching.value = false)} />}
    </>
  );
}
