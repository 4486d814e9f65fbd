import type { ChannelId } from "@lescopains/protocol/ids";
import { useComputed } from "@preact/signals";
import { BadgeCheck, MessagesSquare, SquarePen, UsersRound } from "lucide";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { directName, othersIn } from "../../app/direct.ts";
import { directWords } from "../../app/direct-words.ts";
import { useKeys } from "../../app/keys.ts";
import { href } from "../../app/route.ts";
import { statusWords } from "../../app/status-words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Skeleton } from "../../ui/notice.tsx";
import { useRoving } from "../../ui/roving.ts";
import { FriendsRow } from "./friends.tsx";
import "./list.css";
import { type DmRow, dmRows, previewOf } from "./model.ts";
import { whenText } from "./times.ts";
import { dmWords } from "./words.ts";

interface DmListProps {
  readonly currentId: ChannelId | undefined;
  /** The column has the screen to itself, so its name is the view's heading. */
  readonly asTitle: boolean;
  /** The page that starts a conversation is open. */
  readonly starting: boolean;
  /** Stands above the list. */
  readonly above?: ComponentChildren;
}

/** One's direct conversations, the latest first: one stop of the Tab key, arrows inside. */
export function DmList({ currentId, asTitle, starting, above }: DmListProps) {
  const live = useLive();
  const keys = useKeys();
  const words = dmWords.value;
  const list = useRef<HTMLUListElement>(null);
  useRoving(list);
  const rows = useComputed(() => dmRows(live.dms.value, (channelId) => keys.dm(channelId).value));
  const Title = asTitle ? "h1" : "h2";
  return (
    <>
      <div class="dms-head">
        <Title class="dms-title" tabIndex={-1}>
          {words.title}
        </Title>
        <a
          class="icon-button"
          href={href({ name: "newDm" })}
          aria-label={words.start}
          data-hint={words.start}
          {...(starting ? { "aria-current": "page" as const } : {})}
        >
          <Icon node={SquarePen} />
        </a>
      </div>
      {above}
      <FriendsRow />
      <nav class="dms" aria-label={words.title}>
        {!live.ready.value && <ListSkeleton />}
        {live.ready.value && rows.value.length === 0 && asTitle && (
          <div class="dms-empty">
            <span class="dms-empty-picture">
              <Icon node={MessagesSquare} size={24} />
            </span>
            <p class="dms-empty-title">{words.emptyTitle}</p>
            <p>{words.emptyHelp}</p>
            <a class="button button-plain" href={href({ name: "newDm" })}>
              <Icon node={SquarePen} size={18} />
              {words.start}
            </a>
          </div>
        )}
        <ul class="dms-list" ref={list}>
          {rows.value.map((row) => (
            <DmListRow key={row.channel.id} row={row} current={row.channel.id === currentId} />
          ))}
        </ul>
      </nav>
    </>
  );
}

function DmListRow({ row, current }: { readonly row: DmRow; readonly current: boolean }) {
  const live = useLive();
  const keys = useKeys();
  const words = dmWords.value;
  const { channel, last, atMs } = row;
  const selfId = live.self.value.id;
  const name = directName(channel, selfId);
  const [other] = othersIn(channel, selfId);
  const pair = channel.type === "dm" ? other : undefined;
  const status = pair === undefined ? undefined : live.presence(pair.id).value.status;
  const verified = pair !== undefined && keys.peer(pair.id).value?.trust === "verified";
  const { count } = live.unread(channel.id).value;
  const unread = count > 0 && !current;
  return (
    <li>
      <a
        class={unread ? "dm-row dm-row-unread" : "dm-row"}
        href={href({ name: "dm", channelId: channel.id })}
        {...(current ? { "aria-current": "page" as const } : {})}
        data-roving=""
      >
        {channel.type === "group_dm" ? (
          <span class="dm-group" aria-hidden="true">
            <Icon node={UsersRound} size={20} />
          </span>
        ) : (
          <Avatar
            id={pair?.id ?? channel.id}
            name={name}
            side={40}
            status={status === "offline" ? undefined : status}
          />
        )}
        <span class="dm-row-text">
          <span class="dm-row-head">
            <span class="dm-row-name one-line">{name}</span>
            {verified && (
              <span class="dm-verified">
                <Icon node={BadgeCheck} size={14} />
                <span class="aside-text">, {directWords.value.verified}</span>
              </span>
            )}
            {status !== undefined && <span class="aside-text">, {statusWords.value[status]}</span>}
            <span class="dm-row-when">
              <span class="aside-text">, </span>
              {last !== null && whenText(atMs, Date.now())}
            </span>
          </span>
          <span class="dm-row-foot">
            <span class="dm-row-preview one-line">{previewText(row)}</span>
            {unread && (
              <span class="dm-count">
                <span aria-hidden="true">{count > 99 ? "99+" : count}</span>
                <span class="aside-text">, {words.unread(count)}</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );

  function previewText({ channel: { type, participants } }: DmRow): string {
    // Without keys nothing is known of what was said.
    if (keys.device.value.kind !== "ready") return "";
    const preview = previewOf(last, selfId);
    if (preview.kind === "none") return words.previewNone;
    if (preview.kind === "deleted") return words.previewDeleted;
    if (preview.kind === "unreadable") return words.previewUnreadable;
    if (preview.kind === "missedCall") return preview.own ? words.previewNoAnswer : words.previewMissedCall;
    if (preview.own) return words.you({ text: preview.text });
    const author = type === "group_dm" ? participants.find(({ id }) => id === preview.authorId) : undefined;
    return author === undefined ? preview.text : words.said({ name: author.displayName, text: preview.text });
  }
}

const WIDTHS = ["58%", "42%", "66%"];

function ListSkeleton() {
  return (
    <div aria-hidden="true">
      {WIDTHS.map((width) => (
        <div class="dm-skeleton" key={width}>
          <Skeleton width="40px" height="40px" />
          <div>
            <Skeleton width={width} height="14px" />
            <Skeleton width="80%" height="12px" />
          </div>
        </div>
      ))}
    </div>
  );
}
