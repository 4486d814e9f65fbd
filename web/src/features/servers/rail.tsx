import type { Server } from "@lescopains/protocol/entities";
import type { ServerId } from "@lescopains/protocol/ids";
import { MessagesSquare, Plus } from "lucide";
import { useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { href } from "../../app/route.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import { useRoving } from "../../ui/roving.ts";
import "./rail.css";
import { serverWords } from "./words.ts";

interface RailProps {
  readonly currentId: ServerId | undefined;
  /** The page that makes or joins a place is open. */
  readonly adding: boolean;
  /** Direct messages are open. */
  readonly direct: boolean;
}

/** One's places, top to bottom in the order of joining. */
export function ServerRail({ currentId, adding, direct }: RailProps) {
  const live = useLive();
  const words = serverWords.value;
  const nav = useRef<HTMLElement>(null);
  useRoving(nav);
  return (
    <nav class="rail" aria-label={words.places} ref={nav}>
      <ul class="rail-list">
        <DirectItem current={direct} />
        {live.servers.value.map((server) => (
          <RailItem key={server.id} server={server} current={server.id === currentId} />
        ))}
      </ul>
      <a
        class="rail-add"
        href={href({ name: "new" })}
        aria-label={words.add}
        {...(adding ? { "aria-current": "page" as const } : {})}
        data-hint={words.add}
        data-hint-side="right"
        data-roving=""
      >
        <Icon node={Plus} />
      </a>
    </nav>
  );
}

/** Direct messages, above the places. */
function DirectItem({ current }: { readonly current: boolean }) {
  const live = useLive();
  const words = serverWords.value;
  const unread = !current && live.dms.value.some(({ id }) => live.unread(id).value.count > 0);
  return (
    <li class="rail-item rail-direct">
      <a
        class="rail-link"
        href={href({ name: "dms" })}
        aria-label={unread ? `${words.direct}, ${words.unread}` : words.direct}
        {...(current ? { "aria-current": "page" as const } : {})}
        data-unread={unread ? "yes" : "no"}
        data-hint={words.direct}
        data-hint-side="right"
        data-roving=""
      >
        <Icon node={MessagesSquare} size={22} />
      </a>
    </li>
  );
}

function RailItem({ server, current }: { readonly server: Server; readonly current: boolean }) {
  const live = useLive();
  const unread = live.unreadInServer(server.id).value && !current;
  return (
    <li class="rail-item">
      <a
        class="rail-link"
        href={href({ name: "server", serverId: server.id })}
        aria-label={unread ? `${server.name}, ${serverWords.value.unread}` : server.name}
        {...(current ? { "aria-current": "page" as const } : {})}
        data-unread={unread ? "yes" : "no"}
        data-hint={server.name}
        data-hint-side="right"
        data-roving=""
      >
        <Avatar id={server.id} name={server.name} side={44} imageUrl={server.iconUrl} />
      </a>
    </li>
  );
}
