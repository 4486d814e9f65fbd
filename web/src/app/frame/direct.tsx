import type { DirectChannel, User } from "@lescopains/protocol/entities";
import { useComputed, useSignal } from "@preact/signals";
import {
  ArrowLeft,
  BadgeCheck,
  Lock,
  MessageCircleDashed,
  MessagesSquare,
  SquarePen,
  Users,
  UsersRound,
  X,
} from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { RecoveryNudge } from "../../features/devices/recovery-nudge.tsx";
import { BlockedBar } from "../../features/dms/blocking.tsx";
import { DmList } from "../../features/dms/dm-list.tsx";
import { dmRows } from "../../features/dms/model.ts";
import { PeoplePanel } from "../../features/dms/people-panel.tsx";
import { dmWords } from "../../features/dms/words.ts";
import { OwnStatus } from "../../features/members/own-status.tsx";
import { IdentityBar } from "../../features/safety/identity-bar.tsx";
import { CallButtons } from "../../features/voice/call-buttons.tsx";
import { Avatar } from "../../ui/avatar.tsx";
import { IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Empty } from "../../ui/notice.tsx";
import { useLive } from "../client-context.ts";
import { directName, othersIn } from "../direct.ts";
import { directWords } from "../direct-words.ts";
import { keep, kept } from "../kept.ts";
import { useKeys } from "../keys.ts";
import { lastDm, rememberDm } from "../last-place.ts";
import { narrow, wide } from "../narrow.ts";
import { href } from "../route.ts";
import { navigate, navigateUp } from "../router.ts";
import { statusWords } from "../status-words.ts";
import { useTitle } from "../title.ts";
import { ArriveView, CallPanel, ConversationView, NewDmView, RecoveryFirst, SafetyView } from "../views.ts";
import { appWords } from "../words.ts";
import { asideOf, type ConversationRoute, type DirectRoute, panelOf, toggleMembers } from "./panels.ts";
import { Dock } from "./voice.tsx";

/** What the place of direct messages shows at an address. */
interface Dm {
  readonly channel: DirectChannel | undefined;
  /** This browser cannot read direct messages; what helps stands in their place. */
  readonly gated: boolean;
  /** The address of the conversation that the list opens with. */
  readonly lastPath: string | undefined;
  /** The page of the first visit stands here; `end` puts it off, or away. */
  readonly first: { readonly shown: boolean; readonly end: () => void };
}

/** The direct conversation that an address names; leads on from the address that names none. */
export function useDm(view: DirectRoute | undefined): Dm {
  const live = useLive();
  const keys = useKeys();
  const device = keys.device.value.kind;
  const gated = device !== "ready" && device !== "starting";
  const channelId = view !== undefined && "channelId" in view ? view.channelId : undefined;
  const channel = live.dms.value.find(({ id }) => id === channelId);
  const oneAtATime = narrow.value;

  const lastId = useComputed(() => {
    const rows = dmRows(live.dms.value, (id) => keys.dm(id).value);
    const last = lastDm();
    return (rows.find((row) => row.channel.id === last) ?? rows[0])?.channel.id;
  }).value;
  const lastPath = lastId === undefined ? undefined : href({ name: "dm", channelId: lastId });

  const later = `recovery-later.${live.self.value.id}`;
  const first = useSignal(false);
  const wantsFirst = view?.name === "dms" && device === "ready" && keys.vault.value.kind === "none";
  const isFirst = first.value || (wantsFirst && kept(later) === null);
  // Once begun it stays until it is through, though there is a vault by then.
  useEffect(() => {
    if (wantsFirst && kept(later) === null) first.value = true;
    if (view?.name !== "dms") first.value = false;
  }, [view?.name, wantsFirst, later]);

  const settled = device === "ready" && keys.vault.value.kind !== "unknown" && !isFirst;
  useEffect(() => {
    // A small screen shows the list here; a wide one has it in view already.
    if (view?.name === "dms" && !oneAtATime && settled && lastPath !== undefined) navigate(lastPath, { replace: true });
  }, [view, oneAtATime, settled, lastPath]);
  useEffect(() => {
    if (channel !== undefined) rememberDm(channel.id);
  }, [channel?.id]);

  return {
    channel,
    gated,
    lastPath,
    first: {
      shown: isFirst && view?.name === "dms" && !oneAtATime,
      end() {
        keep(later, "yes");
        first.value = false;
      },
    },
  };
}

interface DirectPanelsProps {
  readonly view: DirectRoute;
  readonly dm: Dm;
  readonly aside: boolean;
}

export function DirectPanels({ view, dm, aside }: DirectPanelsProps) {
  const words = dmWords.value;
  const oneAtATime = narrow.value;
  const panel = panelOf(view);
  const listIsMain = oneAtATime && panel === "list";
  const { channel } = dm;
  return (
    <>
      <div
        class="frame-column"
        {...(listIsMain ? { role: "main" as const } : { role: "region" as const, "aria-label": words.title })}
      >
        {listIsMain && dm.gated ? (
          <ArriveView />
        ) : (
          <DmList
            currentId={channel?.id}
            asTitle={listIsMain}
            starting={view.name === "newDm"}
            above={dm.first.shown ? null : <RecoveryNudge />}
          />
        )}
        <Dock />
        <OwnStatus />
      </div>
      <main class="frame-main" id="content" tabIndex={-1} hidden={oneAtATime && panel !== "content"}>
        <DirectMain view={view} dm={dm} />
      </main>
      {aside && channel !== undefined && (view.name === "dm" || view.name === "dmPeople") && (
        <PeopleAside view={view} channel={channel} asMain={oneAtATime} />
      )}
    </>
  );
}

function DirectMain({ view, dm }: { readonly view: DirectRoute; readonly dm: Dm }) {
  const live = useLive();
  const words = dmWords.value;
  if (dm.gated) {
    return (
      <WithBack title={words.title}>
        <ArriveView />
      </WithBack>
    );
  }
  if (dm.first.shown) return <RecoveryFirst onEnd={dm.first.end} />;
  if (view.name === "newDm") {
    return (
      <WithBack title={words.start}>
        <NewDmView />
      </WithBack>
    );
  }
  // With conversations, the address of the list leads on to one of them.
  if (!live.ready.value || (view.name === "dms" && live.dms.value.length > 0)) {
    return (
      <h1 class="aside-text" tabIndex={-1} aria-busy="true">
        {appWords.value.loading}
      </h1>
    );
  }
  if (view.name === "dms") return <NoDms />;
  const { channel } = dm;
  if (channel === undefined) return <NoDm />;
  if (view.name !== "safety") return <DmRoom key={channel.id} view={view} channel={channel} />;
  const person = othersIn(channel, live.self.value.id).find(({ id }) => id === view.userId);
  return person === undefined ? <NoDm /> : <SafetyView key={person.id} channel={channel} person={person} />;
}

/** On a small screen, a bar that leads back to the list. */
function WithBack({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <>
      {narrow.value && (
        <header class="bar">
          <IconButton icon={ArrowLeft} label={dmWords.value.toList} onClick={() => navigateUp(href({ name: "dms" }))} />
          <p class="bar-title">{title}</p>
        </header>
      )}
      {children}
    </>
  );
}

interface DmRoomProps {
  readonly view: ConversationRoute;
  readonly channel: DirectChannel;
}

/** A direct conversation: who it is with, and its messages below. */
function DmRoom({ view, channel }: DmRoomProps) {
  const live = useLive();
  const words = dmWords.value;
  const selfId = live.self.value.id;
  const others = othersIn(channel, selfId);
  const name = directName(channel, selfId);
  const shown = asideOf(view) !== "none";
  const pair = channel.type === "dm" ? others[0] : undefined;
  const closed = useClosed(channel, others);
  const isBlocked = pair !== undefined && live.blocked(pair.id).value;
  useTitle(name);
  return (
    <>
      <header class="bar">
        {narrow.value && (
          <IconButton icon={ArrowLeft} label={words.toList} onClick={() => navigateUp(href({ name: "dms" }))} />
        )}
        <h1 class="bar-title" tabIndex={-1}>
          {pair === undefined ? <Icon node={UsersRound} /> : <PairPicture person={pair} />}
          <span class="one-line">{name}</span>
          {pair !== undefined && <PairStatus person={pair} />}
        </h1>
        <LockMark channel={channel} person={pair} />
        <span class="bar-space" />
        {others.length > 0 && !isBlocked && <CallButtons channel={channel} />}
        <IconButton
          icon={Users}
          label={shown ? words.hidePeople : words.showPeople}
          aria-pressed={shown}
          onClick={() => toggleMembers(view)}
        />
      </header>
      <div class="frame-content">
        <CallPanel channel={channel} />
        <ConversationView channelId={channel.id} closed={closed} />
      </div>
    </>
  );
}

function PairPicture({ person }: { readonly person: User }) {
  const { status } = useLive().presence(person.id).value;
  return (
    <Avatar id={person.id} name={person.displayName} side={28} status={status === "offline" ? undefined : status} />
  );
}

function PairStatus({ person }: { readonly person: User }) {
  const { status, customStatus } = useLive().presence(person.id).value;
  return (
    // On a small screen the name needs the room: the picture shows the status, and the people's panel its words.
    <span class={narrow.value ? "aside-text" : "bar-status one-line"}>
      <span class="aside-text">, </span>
      {customStatus ?? statusWords.value[status]}
    </span>
  );
}

interface LockMarkProps {
  readonly channel: DirectChannel;
  readonly person: User | undefined;
}

/** The one small mark of encryption: a lock, and a seal once the numbers were compared. It leads to the numbers. */
function LockMark({ channel, person }: LockMarkProps) {
  const keys = useKeys();
  const words = directWords.value;
  if (person === undefined) {
    return (
      <span class="bar-lock" role="img" aria-label={words.encrypted} data-hint={words.encrypted}>
        <Icon node={Lock} size={16} />
      </span>
    );
  }
  const verified = keys.peer(person.id).value?.trust === "verified";
  const label = `${words.encrypted}${verified ? `, ${words.verified.toLocaleLowerCase()}` : ""}`;
  return (
    <a
      class="bar-lock"
      data-verified={verified}
      href={href({ name: "safety", channelId: channel.id, userId: person.id })}
      aria-label={`${label}. ${dmWords.value.safety}`}
      data-hint={label}
    >
      <Icon node={verified ? BadgeCheck : Lock} size={verified ? 18 : 16} />
    </a>
  );
}

/** What stands in place of the composer when nothing can be sent; undefined when one may write. */
function useClosed(channel: DirectChannel, others: readonly User[]): ComponentChildren | undefined {
  const live = useLive();
  const keys = useKeys();
  const state = keys.dm(channel.id).value;
  const words = dmWords.value;
  const pair = channel.type === "dm" ? others[0] : undefined;
  // Asked of the server the first time; until it answers, nothing speaks against writing.
  const peer = pair === undefined ? undefined : keys.peer(pair.id).value;
  if (others.length === 0) return <p class="composer-closed">{words.closedAlone}</p>;
  if (pair !== undefined && live.blocked(pair.id).value) return <BlockedBar person={pair} />;
  const blocked = others.find(({ id }) => state?.blockedBy.includes(id) === true);
  if (blocked !== undefined) return <IdentityBar channel={channel} person={blocked} />;
  if (pair !== undefined && peer?.trust === "unknown") {
    return <p class="composer-closed">{words.closedNoDevice({ name: pair.displayName })}</p>;
  }
  return undefined;
}

interface PeopleAsideProps {
  readonly view: ConversationRoute;
  readonly channel: DirectChannel;
  /** It has the screen to itself. */
  readonly asMain: boolean;
}

/** The people of a direct conversation, with the bar that leads back where there is no room for both. */
function PeopleAside({ view, channel, asMain }: PeopleAsideProps) {
  const words = dmWords.value;
  const Title = asMain ? "h1" : "h2";
  return (
    <div
      class="frame-aside"
      {...(asMain ? { role: "main" as const } : { role: "complementary" as const, "aria-label": words.people })}
    >
      <div class="bar">
        {asMain && (
          <IconButton
            icon={ArrowLeft}
            label={directWords.value.toConversation}
            onClick={() => navigateUp(href({ name: "dm", channelId: channel.id }))}
          />
        )}
        <Title class="bar-title">{words.people}</Title>
        <span class="bar-space" />
        {!asMain && !wide.value && <IconButton icon={X} label={words.hidePeople} onClick={() => toggleMembers(view)} />}
      </div>
      <PeoplePanel channel={channel} />
    </div>
  );
}

/** Nobody was written to yet. */
function NoDms() {
  const words = dmWords.value;
  useTitle(words.title);
  return (
    <Empty icon={MessagesSquare} title={words.emptyTitle} level={1}>
      <p>{words.emptyHelp}</p>
      <a class="button button-primary" href={href({ name: "newDm" })}>
        <Icon node={SquarePen} size={18} />
        {words.start}
      </a>
    </Empty>
  );
}

/** A conversation that one is not in. */
function NoDm() {
  const words = dmWords.value;
  useTitle(words.gone);
  return (
    <Empty icon={MessageCircleDashed} title={words.gone} level={1}>
      <p>{words.goneHelp}</p>
      <a class="button button-primary" href={href({ name: "dms" })}>
        {words.title}
      </a>
    </Empty>
  );
}
