import type { Channel, Server } from "@lescopains/protocol/entities";
import { ArrowLeft, DoorClosed, Hash, MessageCircleDashed, MessageSquareText, Settings, Users, Volume2 } from "lucide";
import { useLayoutEffect } from "preact/hooks";
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
import { asideOf, chatShown, type ConversationRoute, toggleMembers } from "./panels.ts";
import { frameWords } from "./words.ts";

interface RoomProps {
  readonly view: ConversationRoute;
  readonly server: Server;
  readonly channel: Channel;
}

/** A channel: its bar, and its conversation below. */
export function Room({ view, server, channel }: RoomProps) {
  const words = frameWords.value;
  const place = { serverId: server.id, channelId: channel.id };
  const membersShown = asideOf(view) !== "none";
  const up = href({ name: "server", serverId: server.id });
  const isVoice = channel.type === "voice";
  useLayoutEffect(() => {
    // Beside the call there is room for one: who is in the place, or what is written.
    chatShown.value = isVoice && !membersShown && !narrow.peek();
    return () => (chatShown.value = false);
  }, []);
  useTitle(`${channel.name} · ${server.name}`);
  return (
    <>
      <header class="bar">
        {narrow.value && <IconButton icon={ArrowLeft} label={words.toList} onClick={() => navigateUp(up)} />}
        <h1 class="bar-title" tabIndex={-1}>
          <Icon node={channel.type === "voice" ? Volume2 : Hash} />
          <span class="one-line">{channel.name}</span>
        </h1>
        {channel.topic === null || channel.topic === "" ? (
          <span class="bar-space" />
        ) : (
          <p class="bar-topic one-line" title={channel.topic}>
            {channel.topic}
          </p>
        )}
        {may(channel.permissions, "manageChannels") && (
          <IconButton
            icon={Settings}
            label={words.channelSettings}
            onClick={() => navigate(href({ name: "channelSettings", ...place }))}
          />
        )}
        {isVoice && (
          <IconButton
            icon={MessageSquareText}
            label={chatShown.value ? voiceWords.value.hideChat : voiceWords.value.showChat}
            aria-pressed={chatShown.value}
            onClick={() => (chatShown.value = !chatShown.value)}
          />
        )}
        <IconButton
          icon={Users}
          label={membersShown ? words.hideMembers : words.showMembers}
          aria-pressed={membersShown}
          onClick={() => toggleMembers(view)}
        />
      </header>
      <div class="frame-content">
        {isVoice ? (
          <VoiceRoom channel={channel} chatShown={chatShown.value} chat={<ConversationView channelId={channel.id} />} />
        ) : (
          <ConversationView channelId={channel.id} />
        )}
      </div>
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
