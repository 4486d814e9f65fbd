import type { DownBody } from "@lescopains/protocol/down";
import type { ChannelId } from "@lescopains/protocol/ids";
import type { Feed } from "./keys.ts";
import type { Healer } from "./heal.ts";
import { channelState, historyPage, readRowById, tellChannels } from "./history.ts";
import type { Inbox } from "./inbox.ts";
import { type Answers, type Kit, refusal, type Topic } from "./kit.ts";
import type { Outbox } from "./outbox.ts";
import { codecs, type HealRecord, KEY } from "./records.ts";

type DmFeed = Extract<keyof Feed, `dm:${string}` | `message:${string}` | `read:${string}`>;

/** Direct conversations, as the page asks about them and the connection tells of them. */
export interface Conversations {
  readonly answers: Answers<Topic<"dm">>;
  readonly feeds: { readonly [N in DmFeed]: (body: Feed[N]) => Promise<void> };
  /** A connection names all that one is in. */
  readonly connected: (dms: DownBody<"ready">["dms"]) => Promise<void>;
  /** Tells the server what was read while it could not be told. */
  readonly tellRead: (dms: DownBody<"ready">["dms"]) => Promise<void>;
}

interface Parts {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly healer: Healer;
}

export function createConversations(kit: Kit, { inbox, outbox, healer }: Parts): Conversations {
  const { store } = kit;

  async function read(channelId: ChannelId, seq: number, tellOthers: boolean): Promise<void> {
    const moved = await store.exclusive(async (unit) => {
      const channel = await unit.get(KEY.channel(channelId), codecs.channel);
      if (channel === undefined || seq <= channel.readSeq) return false;
      const unread = await store.countUnread(channelId, seq);
      unit.put(KEY.channel(channelId), codecs.channel, { ...channel, readSeq: seq, unread });
      await unit.commit();
      return true;
    });
    if (!moved) return;
    await tellChannels(kit, [channelId]);
    kit.share({ kind: "channel", channelId });
    if (!tellOthers) return;
    await kit.server.emit("read:mark", { channelId, seq });
    await outbox.pass(channelId, { k: "read", seq }).catch(() => undefined);
  }

  async function tellRead(dms: DownBody<"ready">["dms"]): Promise<void> {
    const untold = await store.exclusive(async (unit) => {
      const found: { channelId: ChannelId; seq: number }[] = [];
      for (const { id: channelId, readSeq } of dms) {
        const seq = (await unit.get(KEY.channel(channelId), codecs.channel))?.readSeq ?? 0;
        if (seq > readSeq) found.push({ channelId, seq });
      }
      return found;
    });
    for (const mark of untold) await kit.server.emit("read:mark", mark);
  }

  async function askAgain(channelId: ChannelId, id: HealRecord["id"]): Promise<void> {
    await store.exclusive(async (unit) => {
      const row = await readRowById(unit, id);
      if (row?.channelId !== channelId || row.value.failure === null || row.value.authorId === null) {
        throw refusal("not_found", "no such message");
      }
      const { authorId, senderDeviceId: deviceId } = row.value;
      const heal = { channelId, seq: row.seq, id, authorId, deviceId, tries: 0, notBeforeMs: 0 };
      unit.put(KEY.heal(channelId, row.seq), codecs.heal, heal);
      await unit.commit();
    });
    void healer.run();
  }

  return {
    answers: {
      "dm:history": async ({ channelId, before, after, limit }) =>
        await historyPage(kit, { channelId, before, after, limit }),
      "dm:states": async () =>
        await store.exclusive(async (unit) => {
          const states = [];
          for (const key of await unit.keys("channel/")) {
            const channel = await unit.get(key, codecs.channel);
            if (channel !== undefined && !channel.left) states.push(await channelState(kit, unit, channel));
          }
          return states;
        }),
      "dm:pending": async () => await outbox.pending(),
      async "dm:send"({ channelId, nonce, content, writtenAtMs }) {
        await outbox.send(channelId, nonce, content, writtenAtMs);
        return {};
      },
      async "dm:retry"({ nonce }) {
        await outbox.retry(nonce);
        return {};
      },
      async "dm:discard"({ nonce }) {
        await outbox.discard(nonce);
        return {};
      },
      async "dm:askAgain"({ channelId, messageId }) {
        await askAgain(channelId, messageId);
        return {};
      },
      async "dm:typing"({ channelId }) {
        await outbox.pass(channelId, { k: "typing" });
        return {};
      },
      async "dm:read"({ channelId, seq }) {
        await read(channelId, seq, true);
        return {};
      },
    },
    feeds: {
      async "message:new"(message) {
        inbox.take(message.channelId, { kind: "message", message });
        await inbox.run();
      },
      async "message:deleted"({ channelId, id, seq }) {
        inbox.take(channelId, { kind: "deleted", id, seq });
        await inbox.run();
      },
      "message:ephemeral": async (event) => await inbox.passing(event),
      async "dm:created"({ channel }) {
        await inbox.learn([channel]);
        await tellChannels(kit, [channel.id]);
        await inbox.run();
      },
      async "dm:updated"({ channelId, participants }) {
        await store.exclusive(async (unit) => {
          const channel = await unit.get(KEY.channel(channelId), codecs.channel);
          if (channel?.type !== "group_dm") return;
          unit.put(KEY.channel(channelId), codecs.channel, {
            ...channel,
            participants: participants.map(({ id }) => id),
          });
          await unit.commit();
        });
        await tellChannels(kit, [channelId]);
      },
      async "dm:removed"({ channelId }) {
        await store.exclusive(async (unit) => {
          const channel = await unit.get(KEY.channel(channelId), codecs.channel);
          if (channel !== undefined) unit.put(KEY.channel(channelId), codecs.channel, { ...channel, left: true });
          await unit.commit();
        });
      },
      "read:updated": async ({ channelId, seq }) => await read(channelId, seq, false),
    },
    async connected(dms) {
      await inbox.restart(dms);
      await tellChannels(
        kit,
        dms.map(({ id }) => id),
      );
    },
    tellRead,
  };
}
