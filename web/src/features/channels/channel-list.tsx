import type { Channel, Server } from "@lescopains/protocol/entities";
import type { ChannelId } from "@lescopains/protocol/ids";
import { useSignal } from "@preact/signals";
import { ArrowDown, ArrowUp, Ellipsis, Hash, Plus, Settings, Trash2, Volume2 } from "lucide";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { may } from "../../app/rights.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { asApiError } from "../../net/api-error.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Menu, type MenuItem } from "../../ui/menu.tsx";
import { useRoving } from "../../ui/roving.ts";
import { say } from "../../ui/toasts.tsx";
import { CreateChannelDialog } from "./create-dialog.tsx";
import { DeleteChannelDialog } from "./delete-dialog.tsx";
import "./list.css";
import { movedPosition } from "./model.ts";
import { channelWords } from "./words.ts";

interface ChannelListProps {
  readonly server: Server;
  readonly currentId: ChannelId | undefined;
  /** Stands below a channel: who is in it. */
  readonly below: (channel: Channel) => ComponentChildren;
}

/** The channels of a server: one stop of the Tab key, arrows inside; Alt, Shift and an arrow move the channel itself. */
export function ChannelList({ server, currentId, below }: ChannelListProps) {
  const live = useLive();
  const client = useClient();
  const words = channelWords.value;
  const channels = live.channels(server.id).value;
  const creating = useSignal(false);
  const deleting = useSignal<Channel | null>(null);
  const mayManage = may(server.permissions, "manageChannels");
  const list = useRef<HTMLUListElement>(null);
  useRoving(list);

  async function move(channel: Channel, by: -1 | 1): Promise<void> {
    const position = movedPosition(channels, channel.id, by);
    if (position === undefined) return;
    try {
      live.putChannel(await client.api.call("patchChannel", { params: { id: channel.id }, body: { position } }));
      const place = channels.findIndex(({ id }) => id === channel.id) + by + 1;
      say(channelWords.value.moved({ name: channel.name, place }));
    } catch (thrown) {
      say(errorText(asApiError(thrown)));
    }
  }

  return (
    <nav class="channels" aria-label={words.channels}>
      <div class="channels-head">
        <h2>{words.channels}</h2>
        {mayManage && <IconButton icon={Plus} label={words.create} onClick={() => (creating.value = true)} />}
      </div>
      {channels.length === 0 ? (
        <div class="channels-empty">
          <p>{mayManage ? words.noneHelp : words.noneVisible}</p>
          {mayManage && (
            <Button icon={Plus} onClick={() => (creating.value = true)}>
              {words.create}
            </Button>
          )}
        </div>
      ) : (
        <ul class="channels-list" ref={list}>
          {channels.map((channel) => (
            <ChannelRow
              key={channel.id}
              channel={channel}
              current={channel.id === currentId}
              below={below(channel)}
              onMove={(by) => void move(channel, by)}
              onDelete={() => (deleting.value = channel)}
            />
          ))}
        </ul>
      )}
      {creating.value && <CreateChannelDialog serverId={server.id} onClose={() => (creating.value = false)} />}
      {deleting.value !== null && (
        <DeleteChannelDialog channel={deleting.value} onClose={() => (deleting.value = null)} />
      )}
    </nav>
  );
}

interface ChannelRowProps {
  readonly channel: Channel;
  readonly current: boolean;
  readonly below: ComponentChildren;
  readonly onMove: (by: -1 | 1) => void;
  readonly onDelete: () => void;
}

function ChannelRow({ channel, current, below, onMove, onDelete }: ChannelRowProps) {
  const live = useLive();
  const words = channelWords.value;
  const { count } = live.unread(channel.id).value;
  const unread = count > 0 && !current;
  const mayManage = may(channel.permissions, "manageChannels");
  if (channel.serverId === null) return null;
  const address = { serverId: channel.serverId, channelId: channel.id };

  const items: MenuItem[] = [
    {
      label: words.settings,
      icon: Settings,
      onSelect: () => navigate(href({ name: "channelSettings", ...address })),
    },
    { label: words.moveUp, icon: ArrowUp, onSelect: () => onMove(-1) },
    { label: words.moveDown, icon: ArrowDown, onSelect: () => onMove(1) },
    null,
    { label: words.remove, icon: Trash2, danger: true, onSelect: onDelete },
  ];

  return (
    <li class="channel-row">
      <a
        class={unread ? "channel channel-unread" : "channel"}
        href={href({ name: "channel", ...address })}
        {...(current ? { "aria-current": "page" as const } : {})}
        data-roving=""
        onKeyDown={(event) => {
          if (!mayManage || !event.altKey || !event.shiftKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown"))
            return;
          event.preventDefault();
          event.stopPropagation();
          onMove(event.key === "ArrowUp" ? -1 : 1);
        }}
      >
        <Icon node={channel.type === "voice" ? Volume2 : Hash} size={18} />
        <span class="channel-name one-line">
          {channel.name}
          {channel.type === "voice" && <span class="aside-text">, {words.voice}</span>}
        </span>
        {unread && (
          <span class="channel-count">
            <span aria-hidden="true">{count > 99 ? "99+" : count}</span>
            <span class="aside-text">{words.unread(count)}</span>
          </span>
        )}
      </a>
      {mayManage && (
        <span class="channel-more">
          <Menu
            label={words.actionsFor({ name: channel.name })}
            items={items}
            trigger={({ ref, ...props }) => (
              <IconButton
                {...props}
                buttonRef={ref}
                icon={Ellipsis}
                label={words.actionsFor({ name: channel.name })}
                tabIndex={current ? 0 : -1}
              />
            )}
          />
        </span>
      )}
      {below}
    </li>
  );
}
