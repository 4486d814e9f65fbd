import type { Channel, Server } from "@lescopains/protocol/entities";
import type { ChannelId, ServerId } from "@lescopains/protocol/ids";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ChannelList } from "../../features/channels/channel-list.tsx";
import { channelWords } from "../../features/channels/words.ts";
import { InviteDialog } from "../../features/invites/invite-dialog.tsx";
import { Alone } from "../../features/members/members-panel.tsx";
import { OwnStatus } from "../../features/members/own-status.tsx";
import { NewView } from "../../features/servers/new-view.tsx";
import { ServerRail } from "../../features/servers/rail.tsx";
import { ServerMenu } from "../../features/servers/server-menu.tsx";
import { VoiceRoster } from "../../features/voice/roster.tsx";
import { Skeleton } from "../../ui/notice.tsx";
import { useLive } from "../client-context.ts";
import { lastChannel, lastServer, rememberPlace } from "../last-place.ts";
import { narrow } from "../narrow.ts";
import { href } from "../route.ts";
import { navigate } from "../router.ts";
import { Aside } from "./aside.tsx";
import "./frame.css";
import { NoChannel, NoServer, Room } from "./room.tsx";
import { DirectPanels, useDm } from "./direct.tsx";
import { asideOf, type FrameRoute, isDirectRoute, onSwipe, panelOf, type PlaceRoute, swipe } from "./panels.ts";
import { Dock } from "./voice.tsx";
import { frameWords } from "./words.ts";

/** The channel that a place opens with: where one was last, else its first text channel. */
function entrance(serverId: ServerId, channels: readonly Channel[]): ChannelId | undefined {
  const last = lastChannel(serverId);
  const first = channels.find(({ type }) => type === "text") ?? channels[0];
  return (channels.find(({ id }) => id === last) ?? first)?.id;
}

/** Places or people, conversation and who is in it, side by side as far as there is room. */
export function Frame({ view }: { readonly view: FrameRoute }) {
  const live = useLive();
  const frame = useRef<HTMLDivElement>(null);
  const direct = isDirectRoute(view);
  const place = usePlace(direct ? undefined : view);
  const dm = useDm(direct ? view : undefined);
  const panel = panelOf(view);
  const shown = direct ? dm.channel !== undefined && !dm.gated : place.channel !== undefined;
  const aside = shown ? asideOf(view) : "none";
  const latest = useRef({ view, last: direct ? dm.lastPath : place.lastPath });
  latest.current = { view, last: direct ? dm.lastPath : place.lastPath };
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    return onSwipe(element, (direction) => swipe(latest.current.view, direction, latest.current.last));
  }, []);
  const homeless = live.ready.value && live.servers.value.length === 0;
  const alone = view.name === "new" || (view.name === "home" && homeless);
  return (
    <div class="frame" ref={frame} data-panel={panel} data-aside={aside}>
      <ServerRail currentId={place.serverId} adding={alone} direct={direct} />
      {direct ? (
        <DirectPanels view={view} dm={dm} aside={aside !== "none"} />
      ) : (
        <PlacePanels view={view} place={place} aside={aside !== "none"} alone={alone} />
      )}
    </div>
  );
}

interface Place {
  readonly serverId: ServerId | undefined;
  readonly server: Server | undefined;
  readonly channel: Channel | undefined;
  /** The address of the channel that the place opens with. */
  readonly lastPath: string | undefined;
}

/** The place and channel that an address names; leads on from addresses that name none. */
function usePlace(view: PlaceRoute | undefined): Place {
  const live = useLive();
  const ready = live.ready.value;
  const servers = live.servers.value;
  const homeId = servers.find(({ id }) => id === lastServer())?.id ?? servers[0]?.id;
  const serverId = view !== undefined && "serverId" in view ? view.serverId : undefined;
  const channelId = view !== undefined && "channelId" in view ? view.channelId : undefined;
  const server = servers.find(({ id }) => id === serverId);
  const channels = serverId === undefined ? [] : live.channels(serverId).value;
  const entranceId = serverId === undefined ? undefined : entrance(serverId, channels);
  const channel = channels.find(({ id }) => id === channelId);
  const isText = channel?.type === "text";
  const oneAtATime = narrow.value;

  useEffect(() => {
    if (view?.name === "home" && ready && homeId !== undefined) {
      navigate(href({ name: "server", serverId: homeId }), { replace: true });
    }
    // A small screen shows the list of channels here; a wide one has it in view already.
    if (view?.name === "server" && !oneAtATime && entranceId !== undefined) {
      navigate(href({ name: "channel", serverId: view.serverId, channelId: entranceId }), { replace: true });
    }
    // What is written in a text channel has no other address than the channel.
    if (view?.name === "chat" && isText) navigate(href({ ...view, name: "channel" }), { replace: true });
  }, [view, ready, homeId, entranceId, oneAtATime, isText]);
  useEffect(() => {
    if (channel !== undefined && serverId !== undefined) rememberPlace(serverId, channel.id);
  }, [channel?.id, serverId]);
  // Whatever panel is in view: messages are named after the members.
  const knownId = server?.id;
  useEffect(() => (knownId === undefined ? undefined : live.openServer(knownId)), [live, knownId]);
  const lastPath =
    serverId === undefined || entranceId === undefined
      ? undefined
      : href({ name: "channel", serverId, channelId: entranceId });
  return { serverId, server, channel, lastPath };
}

interface PlacePanelsProps {
  readonly view: PlaceRoute;
  readonly place: Place;
  readonly aside: boolean;
  /** The page that makes or joins a place has the view. */
  readonly alone: boolean;
}

function PlacePanels({ view, place: { server, channel }, aside, alone }: PlacePanelsProps) {
  const live = useLive();
  const inviting = useSignal(false);
  const ready = live.ready.value;
  const oneAtATime = narrow.value;
  const panel = panelOf(view);
  const listIsMain = oneAtATime && panel === "list";
  const invite = () => (inviting.value = true);
  return (
    <>
      <div
        class="frame-column"
        {...(listIsMain
          ? { role: "main" as const }
          : { role: "region" as const, "aria-label": server?.name ?? channelWords.value.channels })}
      >
        {server === undefined ? (
          <ColumnWithoutServer loading={!ready} asMain={listIsMain} />
        ) : (
          <>
            <ServerMenu server={server} asTitle={listIsMain} onInvite={invite} />
            <ChannelList
              server={server}
              currentId={channel?.id}
              below={({ id, type }) => type === "voice" && <VoiceRoster channelId={id} />}
            />
            {listIsMain && <Alone server={server} onInvite={invite} />}
          </>
        )}
        <Dock />
        <OwnStatus />
      </div>
      <main class="frame-main" id="content" tabIndex={-1} hidden={oneAtATime && panel !== "content"}>
        {alone ? <NewView /> : <Main view={view} ready={ready} server={server} channel={channel} />}
      </main>
      {aside &&
        server !== undefined &&
        channel !== undefined &&
        (view.name === "channel" || view.name === "members" || view.name === "chat") && (
          <Aside view={view} server={server} channel={channel} asMain={oneAtATime} onInvite={invite} />
        )}
      {inviting.value && server !== undefined && (
        <InviteDialog server={server} onClose={() => (inviting.value = false)} />
      )}
    </>
  );
}

interface MainProps {
  readonly view: PlaceRoute;
  readonly ready: boolean;
  readonly server: Server | undefined;
  readonly channel: Channel | undefined;
}

function Main({ view, ready, server, channel }: MainProps) {
  const live = useLive();
  if (!ready || view.name === "home" || view.name === "new") {
    return (
      <h1 class="aside-text" tabIndex={-1}>
        {frameWords.value.loading}
      </h1>
    );
  }
  if (server === undefined) return <NoServer />;
  if (channel !== undefined && "channelId" in view) {
    return <Room key={channel.id} view={view} server={server} channel={channel} />;
  }
  const noneYet = view.name === "server" && live.channels(server.id).value.length > 0;
  return noneYet ? null : <NoChannel server={server} none={view.name === "server"} />;
}

const WIDTHS = ["58%", "74%", "46%", "66%"];

function ColumnWithoutServer({ loading, asMain }: { readonly loading: boolean; readonly asMain: boolean }) {
  return (
    <div class="channels">
      {asMain && (
        <h1 class="aside-text" tabIndex={-1}>
          {frameWords.value.loading}
        </h1>
      )}
      {loading && (
        <div class="column-skeleton">
          {WIDTHS.map((width) => (
            <Skeleton key={width} width={width} height="16px" />
          ))}
        </div>
      )}
    </div>
  );
}
