import type { Channel, Message } from "@lescopains/protocol/entities";
import type { ChannelId, Seq, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Unread } from "./live-types.ts";
import { perId } from "./per-id.ts";

/** Where the reader stands in each channel. */
export interface UnreadBook {
  readonly of: (channelId: ChannelId) => ReadonlySignal<Unread>;
  /** The server's word, at `ready` or with a channel; it never takes back what is known to be further. */
  readonly learn: (channel: Channel) => void;
  readonly noteNew: (message: Message) => void;
  /** An edit, a reaction or a deletion took `seq`. It is nothing new to read. */
  readonly noteChange: (channelId: ChannelId, seq: Seq) => void;
  /** Where a reader stands in a direct conversation: this browser's device knows, the server only counts events. */
  readonly tell: (channelId: ChannelId, unread: Unread) => void;
  readonly markRead: (channelId: ChannelId, seq: Seq) => void;
  /** The messages loaded tell exactly how many are new. `messages` must reach back to `readSeq` to be counted. */
  readonly count: (channelId: ChannelId, messages: readonly Message[], reachesBackTo: Seq) => void;
}

export function createUnreadBook(selfId: UserId): UnreadBook {
  const of = perId<ChannelId, Signal<Unread>>(() => signal({ lastSeq: 0, readSeq: 0, count: 0 }));

  return {
    of,
    learn({ id, lastSeq, messageSeq, readSeq }) {
      const unread = of(id);
      const known = unread.peek();
      const read = Math.max(known.readSeq, readSeq);
      const missed = lastSeq > known.lastSeq;
      if (!missed && read === known.readSeq) return;
      const last = Math.max(known.lastSeq, lastSeq);
      unread.value = {
        lastSeq: last,
        readSeq: read,
        // What happened after the newest message is nothing to read.
        count: missed || read >= last ? Math.max(0, messageSeq - read) : known.count,
      };
    },
    noteNew({ channelId, seq, authorId }) {
      const unread = of(channelId);
      const known = unread.peek();
      if (seq <= known.lastSeq) return;
      // Who writes has read what stands before.
      unread.value =
        authorId === selfId
          ? { lastSeq: seq, readSeq: seq, count: 0 }
          : { ...known, lastSeq: seq, count: known.count + 1 };
    },
    noteChange(channelId, seq) {
      const unread = of(channelId);
      const known = unread.peek();
      if (seq <= known.lastSeq) return;
      unread.value = { ...known, lastSeq: seq, readSeq: known.count === 0 ? seq : known.readSeq };
    },
    tell(channelId, unread) {
      of(channelId).value = unread;
    },
    markRead(channelId, seq) {
      const unread = of(channelId);
      const known = unread.peek();
      if (seq <= known.readSeq) return;
      const lastSeq = Math.max(known.lastSeq, seq);
      unread.value = { lastSeq, readSeq: seq, count: seq >= lastSeq ? 0 : Math.min(known.count, lastSeq - seq) };
    },
    count(channelId, messages, reachesBackTo) {
      const unread = of(channelId);
      const known = unread.peek();
      if (known.count === 0 || reachesBackTo > known.readSeq + 1) return;
      const count = messages.filter(
        ({ seq, authorId, deleted }) => seq > known.readSeq && authorId !== selfId && !deleted,
      ).length;
      if (count !== known.count) unread.value = { ...known, count };
    },
  };
}
