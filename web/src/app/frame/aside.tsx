import type { Channel, Server } from "@lescopains/protocol/entities";
import { ArrowLeft, X } from "lucide";
import { MembersPanel } from "../../features/members/members-panel.tsx";
import { memberWords } from "../../features/members/words.ts";
import { IconButton } from "../../ui/button.tsx";
import { wide } from "../narrow.ts";
import { href } from "../route.ts";
import { navigateUp } from "../router.ts";
import { type ChannelRoute, toggleMembers } from "./panels.ts";
import { frameWords } from "./words.ts";

interface AsideProps {
  readonly view: ChannelRoute;
  readonly server: Server;
  readonly channel: Channel;
  /** It has the screen to itself. */
  readonly asMain: boolean;
  readonly onInvite: () => void;
}

/** The members, with the bar that leads back where there is no room for both. */
export function Aside({ view, server, channel, asMain, onInvite }: AsideProps) {
  const words = frameWords.value;
  const place = { serverId: server.id, channelId: channel.id };
  const Title = asMain ? "h1" : "h2";
  return (
    <div
      class="frame-aside"
      {...(asMain
        ? { role: "main" as const }
        : { role: "complementary" as const, "aria-label": memberWords.value.members })}
    >
      <div class="bar">
        {asMain && (
          <IconButton
            icon={ArrowLeft}
            label={words.toConversation}
            onClick={() => navigateUp(href({ name: "channel", ...place }))}
          />
        )}
        <Title class="bar-title">{memberWords.value.members}</Title>
        <span class="bar-space" />
        {!asMain && !wide.value && (
          <IconButton icon={X} label={words.hideMembers} onClick={() => toggleMembers(view)} />
        )}
      </div>
      <MembersPanel server={server} headings={asMain ? "h2" : "h3"} onInvite={onInvite} />
    </div>
  );
}
