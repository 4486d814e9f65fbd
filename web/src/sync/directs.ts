import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { Presence } from "@lescopains/protocol/entities";
import type { ReadonlySignal } from "@preact/signals";
import type { DmState, KeysPort } from "../keys/port.ts";
import type { ConversationShell } from "./conversation.ts";
import type { Directory } from "./directory.ts";
import { createDmConversation, type DmShell } from "./dm-conversation.ts";
import type { Drafts } from "./drafts.ts";
import type { Clock, Page, RandomUuid } from "./ports.ts";
import type { TypingBook } from "./typing.ts";
import type { Unkept } from "./unkept.ts";
import type { UnreadBook } from "./unread.ts";

export interface DirectsDeps {
  readonly selfId: UserId;
  readonly keys: KeysPort;
  readonly directory: Directory;
  readonly drafts: Drafts;
  readonly unkept: Unkept;
  readonly typing: TypingBook;
  readonly unread: UnreadBook;
  readonly presence: (userId: UserId) => ReadonlySignal<Presence>;
  readonly clock: Clock;
  readonly page: Page;
  readonly randomUuid: RandomUuid;
  readonly used: (conversation: ConversationShell) => void;
}

/** Direct conversations, led by what the device tells. Answers what makes one of them. */
export function createDirects(deps: DirectsDeps): (channelId: ChannelId) => DmShell {
  const { keys, unread } = deps;
  const shells = new Map<ChannelId, DmShell>();

  function tell({ channelId, seenSeq, readSeq, unread: count, notices }: DmState): void {
    shells.get(channelId)?.takeNotices(notices);
    unread.tell(channelId, { lastSeq: Math.max(seenSeq, readSeq), readSeq, count });
  }

  keys.on("dm:state", tell);
  keys.on("dm:messages", ({ channelId, messages, gone }) => shells.get(channelId)?.take(messages, gone));
  keys.on("dm:pending", ({ channelId, pending }) => shells.get(channelId)?.takePending(pending));
  keys.on("dm:typing", ({ channelId, userId }) => deps.typing.note(channelId, userId));
  keys.on("dm:reset", () => {
    for (const shell of shells.values()) shell.reset();
  });
  keys.on("device", (state) => {
    if (state.kind !== "ready") return;
    // What waits since an earlier visit stands in its conversation again.
    keys.ask("dm:pending", {}).then(
      (all) => {
        for (const [channelId, shell] of shells) shell.takePending(all.filter((one) => one.channelId === channelId));
      },
      () => undefined,
    );
  });

  function someoneThere(channelId: ChannelId): boolean {
    const channel = deps.directory.dms.peek().find(({ id }) => id === channelId);
    return (channel?.participants ?? []).some(
      ({ id }) => id !== deps.selfId && deps.presence(id).peek().status !== "offline",
    );
  }

  return (channelId) => {
    const known = shells.get(channelId);
    if (known !== undefined) return known;
    const shell = createDmConversation(channelId, { ...deps, someoneThere: () => someoneThere(channelId) });
    shells.set(channelId, shell);
    keys.ask("dm:pending", {}).then(
      (all) => shell.takePending(all.filter((one) => one.channelId === channelId)),
      () => undefined,
    );
    return shell;
  };
}
