import type { DownBody } from "@lescopains/protocol/down";
import type { CallId, ChannelId, JoinId, UserId } from "@lescopains/protocol/ids";
import type { RingEnd, Ringing, VoiceEnd, VoiceFlags, VoiceRoster } from "@lescopains/protocol/voice";
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Api } from "../net/rest.ts";
import type { Socket } from "../net/socket.ts";
import { perId } from "./per-id.ts";

/** Somebody calls one. */
export interface IncomingCall {
  readonly channelId: ChannelId;
  readonly callId: CallId;
  readonly callerId: UserId;
}

export interface VoiceNews {
  /** A place is gone; `to`: where a moderator put one. */
  readonly ended: {
    readonly joinId: JoinId;
    readonly reason: VoiceEnd;
    readonly to: { readonly channelId: ChannelId; readonly joinId: JoinId | undefined } | undefined;
  };
  /** The node of a room is gone; the place is kept. */
  readonly rejoin: { readonly channelId: ChannelId; readonly joinId: JoinId };
  /** These people are called no longer. */
  readonly ringEnded: {
    readonly channelId: ChannelId;
    readonly callId: CallId;
    readonly callerId: UserId;
    readonly userIds: readonly UserId[];
    readonly reason: RingEnd;
  };
}

/** Who is in which voice channel or call, and what one tells the server of oneself there. */
export interface VoiceLine {
  /** Undefined: nobody is there, as far as one knows. */
  readonly roster: (channelId: ChannelId) => ReadonlySignal<VoiceRoster | undefined>;
  /** Takes in a list that was asked for. */
  readonly take: (roster: VoiceRoster) => void;
  /** Calls that ring here. */
  readonly incoming: ReadonlySignal<readonly IncomingCall[]>;
  /** The answer stops it. */
  readonly on: <N extends keyof VoiceNews>(name: N, listener: (news: VoiceNews[N]) => void) => () => void;
  /** All of them: @throws ApiError */
  readonly leave: (channelId: ChannelId, joinId: JoinId) => Promise<void>;
  readonly say: (flags: VoiceFlags) => Promise<void>;
  readonly call: (what: "ring" | "accept" | "decline" | "cancel", channelId: ChannelId) => Promise<void>;
}

interface VoiceLineDeps {
  readonly selfId: UserId;
  readonly socket: Pick<Socket, "emit" | "insist" | "on">;
  readonly api: Pick<Api, "call">;
}

export function createVoiceLine({ selfId, socket, api }: VoiceLineDeps): VoiceLine {
  const rosterOf = perId<ChannelId, Signal<VoiceRoster | undefined>>(() => signal(undefined));
  /** Channels in which someone is, or is called. */
  const busy = signal<ReadonlySet<ChannelId>>(new Set());
  /** Channels whose list is known as a whole, and not only by who came and went since one may look. */
  const whole = new Set<ChannelId>();
  /** Calls that ring no longer, each with whom for. */
  const stopped = new Set<string>();
  const listeners: { readonly [N in keyof VoiceNews]: Set<(news: VoiceNews[N]) => void> } = {
    ended: new Set(),
    rejoin: new Set(),
    ringEnded: new Set(),
  };

  function tell<N extends keyof VoiceNews>(name: N, news: VoiceNews[N]): void {
    for (const listener of listeners[name]) listener(news);
  }

  function put(roster: VoiceRoster): void {
    const place = rosterOf(roster.channelId);
    if (place.peek() !== undefined && roster.epoch < (place.peek()?.epoch ?? 0)) return;
    place.value = roster;
    const isBusy = roster.members.length > 0 || roster.ringing !== null;
    if (busy.peek().has(roster.channelId) === isBusy) return;
    const next = new Set(busy.peek());
    if (isBusy) next.add(roster.channelId);
    else next.delete(roster.channelId);
    busy.value = next;
  }

  /** A list that was asked for, which the events since may have overtaken: by them one knows more than it says, unless one did not know the whole before. */
  function take(roster: VoiceRoster): void {
    const known = rosterOf(roster.channelId).peek();
    if (known !== undefined && whole.has(roster.channelId) && roster.epoch <= known.epoch) return;
    whole.add(roster.channelId);
    put({ ...roster, ringing: roster.ringing === null ? null : stillRinging(roster.ringing) });
  }

  function stillRinging(ringing: Ringing): Ringing | null {
    const userIds = ringing.userIds.filter((userId) => !stopped.has(`${ringing.callId} ${userId}`));
    return userIds.length === 0 ? null : { ...ringing, userIds };
  }

  /** Something was missed: the whole list is asked for. What is lost on the way comes with the next `ready`. */
  function ask(channelId: ChannelId): void {
    api.call("getVoice", { params: { id: channelId } }).then(take, () => undefined);
  }

  function change({ channelId, epoch, userId, member }: DownBody<"voice:state">): void {
    const before = rosterOf(channelId).peek() ?? { channelId, epoch: epoch - 1, members: [], ringing: null };
    if (epoch < before.epoch) return;
    if (epoch > before.epoch + 1) {
      // Half a list would be taken for the whole one of its epoch, by the keys of a call too.
      ask(channelId);
      return;
    }
    const isThere = before.members.some((one) => one.userId === userId);
    const others = before.members.filter((one) => one.userId !== userId);
    const changed =
      member === null
        ? others
        : isThere
          ? before.members.map((one) => (one.userId === userId ? member : one))
          : [...others, member];
    put({ ...before, epoch, members: changed });
  }

  socket.on("ready", ({ voice }) => {
    const here = new Set(voice.map(({ channelId }) => channelId));
    for (const channelId of busy.peek()) {
      const known = rosterOf(channelId).peek();
      if (!here.has(channelId) && known !== undefined) put({ ...known, members: [], ringing: null });
    }
    whole.clear();
    for (const roster of voice) {
      whole.add(roster.channelId);
      put(roster);
    }
  });
  socket.on("voice:state", change);
  socket.on("voice:ended", ({ joinId, reason, toChannelId, toJoinId }) =>
    tell("ended", {
      joinId,
      reason,
      to: toChannelId === undefined ? undefined : { channelId: toChannelId, joinId: toJoinId },
    }),
  );
  socket.on("voice:rejoin", (news) => tell("rejoin", news));
  socket.on("call:ringing", ({ channelId, ...ringing }) => {
    const before = rosterOf(channelId).peek();
    if (before === undefined) ask(channelId);
    put({ ...(before ?? { channelId, epoch: 0, members: [] }), ringing });
  });
  socket.on("call:stopped", (news) => {
    for (const userId of news.userIds) stopped.add(`${news.callId} ${userId}`);
    const before = rosterOf(news.channelId).peek();
    if (before?.ringing?.callId === news.callId) put({ ...before, ringing: stillRinging(before.ringing) });
    tell("ringEnded", news);
  });

  return {
    roster: rosterOf,
    take,
    incoming: computed(() =>
      [...busy.value].flatMap((channelId) => {
        const ringing = rosterOf(channelId).value?.ringing;
        return ringing?.userIds.includes(selfId) === true
          ? [{ channelId, callId: ringing.callId, callerId: ringing.callerId }]
          : [];
      }),
    ),
    on(name, listener) {
      listeners[name].add(listener);
      return () => void listeners[name].delete(listener);
    },
    async leave(channelId, joinId) {
      await socket.emit("voice:leave", { channelId, joinId });
    },
    async say(flags) {
      await socket.emit("voice:state", flags);
    },
    async call(what, channelId) {
      await socket.insist(`call:${what}`, { channelId });
    },
  };
}
