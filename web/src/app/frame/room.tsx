import type { Channel, Server } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { ArrowLeft, DoorClosed, Hash, MessageCircleDashed, MessageSquareText, Settings, Users, Volume2 } from "lucide";
import { channelWords } from "../../features/channels/words.ts";
import { serverWords } from "../../features/servers/words.ts";
import { voiceWords } from "../../features/voice/words.ts";
import { IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Empty } from "../../ui/notice.tsx";
import { narrow } from "../narrow.ts";
import { may } from "../rights.ts";
import { href } from "../route.ts";
import { navigate, navigateUp } from "../router.ts";
import { useTitle } from "../title.ts";
import { ConversationView, VoiceRoom } from "../views.ts";
import { appWords } from "../words.ts";
import { asideOf, type ChannelRoute, toggleMembers } from "./panels.ts";
import { frameWords } from "./words.ts";

interface RoomProps {
  readonly view: ChannelRoute;
  readonly server: Server;
  readonly channel: Channel;
}

/** A channel: its bar, and its conversation below. */
export function Room({ view, server, channel }: RoomProps) {
  const words = frameWords.value;
  const place = { serverId: server.id, channelId: channel.id };
  const membersShown = asideOf(view) !== "none";
  const room = href({ name: "channel", ...place });
  const isVoice = channel.type === "voice";
  // Beside the call there is room for one: who is in the place, or what is written.
  const chatBeside = useSignal(!membersShown);
  const chatShown = isVoice && (view.name === "chat" || (chatBeside.value && !narrow.value));
  /** What is written has the screen to itself. */
  const chatAlone = chatShown && narrow.value;
  const up = chatAlone ? room : href({ name: "server", serverId: server.id });

  function toggleChat(): void {
    if (narrow.peek()) {
      navigate(href({ name: "chat", ...place }));
      return;
    }
    chatBeside.value = !chatShown;
    if (view.name === "chat") navigate(room, { replace: true });
  }

  useTitle(`${channel.name} · ${server.name}`);
  return (
    <>
      <header class="bar">
        {narrow.value && (
          <IconButton
            icon={ArrowLeft}
            label={chatAlone ? voiceWords.value.toRoom({ name: channel.name }) : words.toList}
            onClick={() => navigateUp(up)}
          />
        )}
        <h1 class="bar-title" tabIndex={-1}>
          <Icon node={chatAlone ? MessageSquareText : isVoice ? Volume2 : Hash} />
          <span class="one-line">{channel.name}</span>
        </h1>
        {channel.topic === null || channel.topic === "" ? (
          <span class="bar-space" />
        ) : (
          <p class="bar-topic one-line" title={channel.topic}>
            {channel.topic}
          </p>
        )}
        {!chatAlone && <RoomButtons view={view} channel={channel} chatShown={chatShown} onChat={toggleChat} />}
      </header>
      <div class="frame-content">
        {isVoice ? (
          <VoiceRoom channel={channel} chatShown={chatShown} chat={<ConversationView channelId={channel.id} />} />
        ) : (
          <ConversationView channelId={channel.id} />
        )}
      </div>
    </>
  );
}

interface RoomButtonsProps {
  readonly view: ChannelRoute;
  readonly channel: Channel;
  readonly chatShown: boolean;
  readonly onChat: () => void;
}

function RoomButtons({ view, channel, chatShown, onChat }: RoomButtonsProps) {
  const words = frameWords.value;
  const membersShown = asideOf(view) !== "none";
  return (
    <>
      {may(channel.permissions, "manageChannels") && (
        <IconButton
          icon={Settings}
          label={words.channelSettings}
          onClick={() => navigate(href({ ...view, name: "channelSettings" }))}
        />
      )}
      {channel.type === "voice" && (
        <IconButton
          icon={MessageSquareText}
          label={chatShown ? voiceWords.value.hideChat : voiceWords.value.showChat}
          aria-pressed={chatShown}
          onClick={onChat}
        />
      )}
      <IconButton
        icon={Users}
        label={membersShown ? words.hideMembers : words.showMembers}
        aria-pressed={membersShown}
        onClick={() => toggleMembers(view)}
      />
    </>
  );
}

/** A place that one is not in. */
export function NoServer() {
  const words = serverWords.value;
  useTitle(words.gone);
  return (
    <Empty icon={DoorClosed} title={words.gone} level={1}>
      <p>{words.goneHelp}</p>
      <a class="button button-primary" href="/">
        {appWords.value.goHome}
      </a>
    </Empty>
  );
}

interface NoChannelProps {
  readonly server: Server;
  /** The place has none at all, rather than not this one. */
  readonly none: boolean;
}

/** A place without a channel to show. */
export function NoChannel({ server, none }: NoChannelProps) {
  const words = channelWords.value;
  const title = none ? words.noneTitle : words.gone;
  const mayManage = may(server.permissions, "manageChannels");
  useTitle(`${title} · ${server.name}`);
  return (
    <Empty icon={MessageCircleDashed} title={title} level={1}>
      <p>{none ? (mayManage ? words.noneHelp : words.noneVisible) : words.goneHelp}</p>
      {!none && (
        <a class="button button-primary" href={href({ name: "server", serverId: server.id })}>
          {server.name}
        </a>
      )}
    </Empty>
  );
}
