import type { ChannelId, JoinId, UserId } from "@lescopains/protocol/ids";
import type { VoiceJoined, VoiceMember, VoiceRoster } from "@lescopains/protocol/voice";
import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { ApiError } from "../net/api-error.ts";
import { FakeClock, settle } from "../sync/fakes.ts";
import type { FrameCrypto } from "./frames/frames.ts";
import type { MediaRoom, MediaRoomEvents } from "./media-room.ts";
import { createSession } from "./session.ts";

const self = "self" as UserId;
const [lounge, attic] = ["lounge", "attic"] as ChannelId[] as [ChannelId, ChannelId];

/** A server, nodes and keys in one place, driven by hand. */
function setting() {
  const clock = new FakeClock();
  const roster = signal<VoiceRoster | undefined>(undefined);
  const rooms: { readonly joined: VoiceJoined; readonly events: MediaRoomEvents; state: "open" | "left" | "closed" }[] =
    [];
  const cryptos: { readonly joinId: string; readonly rosters: number[]; closed: boolean; readonly over: () => void }[] =
    [];
  const asked: { readonly channelId: ChannelId; readonly joinId: JoinId | undefined }[] = [];
  const left: string[] = [];
  const wanted: (() => boolean)[] = [];
  let answer: (channelId: ChannelId, joinId: JoinId | undefined) => Promise<VoiceJoined> = async (channelId, joinId) =>
    joinedOf(channelId, joinId ?? (`stay-${asked.length}` as JoinId));
  const world = { canEncrypt: true };
  const session = createSession({
    selfId: self,
    clock,
    random: () => 0.5,
    edge: {
      take: (channelId, joinId, isWanted) => {
        asked.push({ channelId, joinId });
        wanted.push(isWanted);
        return answer(channelId, joinId);
      },
      leave: (channelId, joinId) => void left.push(`${channelId} ${joinId}`),
      roster: () => roster,
    },
    canEncrypt: () => world.canEncrypt,
    startCrypto(joined, { onOver: over }) {
      const made = { joinId: joined.joinId as string, rosters: [] as number[], closed: false, over };
      cryptos.push(made);
      return {
        roster: ({ epoch }: { readonly epoch: number }) => made.rosters.push(epoch),
        close: () => (made.closed = true),
      } as unknown as FrameCrypto;
    },
    openRoom({ joined }, events) {
      const made = { joined, events, state: "open" as "open" | "left" | "closed" };
      rooms.push(made);
      return {
        reconsider: () => undefined,
        leave: () => (made.state = "left"),
        close: () => (made.state = "closed"),
      } as unknown as MediaRoom;
    },
    sendFailed: () => undefined,
  });
  return {
    session,
    clock,
    roster,
    rooms,
    cryptos,
    asked,
    wanted,
    left,
    world,
    answers: (next: typeof answer) => (answer = next),
    joined: async (channelId: ChannelId) => {
      await session.join(channelId);
      rooms.at(-1)?.events.here();
    },
  };
}

function joinedOf(channelId: ChannelId, joinId: JoinId): VoiceJoined {
  const member = { userId: self, deviceId: 1, joinId } as unknown as VoiceMember;
  return {
    url: "",
    token: "t",
    iceServers: [],
    iceTransportPolicy: "all",
    joinId,
    roster: { channelId, epoch: 1, members: [member], ringing: null },
  } as unknown as VoiceJoined;
}

describe("coming in and leaving", () => {
  test("[VC11] comes in, and is there once media can flow", async () => {
    const { session, rooms, cryptos } = setting();
    const joining = session.join(lounge);
    expect(session.state.value.kind).toBe("joining");
    await joining;
    expect(session.state.value.kind).toBe("joining");
    rooms[0]?.events.here();
    expect(session.state.value).toMatchObject({ kind: "joined", channelId: lounge });
    expect(cryptos[0]?.rosters).toEqual([1]);
  });

  test("[VC12] leaving while the place is asked for gives it back, and nothing opens", async () => {
    const { session, rooms, left, cryptos } = setting();
    const joining = session.join(lounge);
    session.leave();
    await joining;
    expect(session.state.value).toEqual({ kind: "idle" });
    expect(left).toEqual(["lounge stay-1"]);
    expect([rooms, cryptos]).toEqual([[], []]);
  });

  test("[VC12] whoever asks the server, once the device is ready, knows by then that one has left", async () => {
    const { session, wanted, answers } = setting();
    answers(() => new Promise(() => undefined));
    void session.join(lounge);
    expect(wanted.map((isWanted) => isWanted())).toEqual([true]);
    session.leave();
    void session.join(lounge);
    expect(wanted.map((isWanted) => isWanted())).toEqual([false, true]);
  });

  test("[VC12] joining twice asks once", async () => {
    const { session, asked, rooms } = setting();
    await Promise.all([session.join(lounge), session.join(lounge)]);
    expect([asked.length, rooms.length]).toEqual([1, 1]);
  });

  test("[VC12] joining elsewhere leaves here, whichever answer comes first", async () => {
    const { session, answers, rooms, left } = setting();
    const waiting: (() => void)[] = [];
    answers(
      (channelId) =>
        new Promise((resolve) => waiting.push(() => resolve(joinedOf(channelId, `stay-${channelId}` as JoinId)))),
    );
    const first = session.join(lounge);
    const second = session.join(attic);
    waiting[1]?.();
    await second;
    waiting[0]?.();
    await first;
    expect(rooms.map(({ joined }) => joined.joinId)).toEqual(["stay-attic"]);
    expect(left).toEqual([]);
    rooms[0]?.events.here();
    expect(session.state.value).toMatchObject({ kind: "joined", channelId: attic });
  });

  test("[VC13] a refusal says why and leaves nothing behind", async () => {
    const { session, answers, cryptos } = setting();
    answers(() => Promise.reject(new ApiError({ code: "room_full", message: "" })));
    await session.join(lounge);
    expect(session.state.value).toMatchObject({
      kind: "idle",
      ended: { channelId: lounge, why: { kind: "refused", code: "room_full" } },
    });
    expect(cryptos).toEqual([]);
  });

  test("[VC38] who is refused a place gives up none: it would be the one of their telephone", async () => {
    const { session, answers, left, joined } = setting();
    answers(() => Promise.reject(new ApiError({ code: "device_required", message: "" })));
    await session.join(lounge);
    session.leave();
    answers(() => new Promise(() => undefined));
    void session.join(lounge);
    session.leave();
    expect(left).toEqual([]);
    answers(async (channelId) => joinedOf(channelId, "mine" as JoinId));
    await joined(lounge);
    session.leave();
    expect(left).toEqual(["lounge mine"]);
  });

  test("[VC14] a browser that cannot encrypt asks for no place", async () => {
    const { session, asked, world } = setting();
    world.canEncrypt = false;
    await session.join(lounge);
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { kind: "unsupported" } } });
    expect(asked).toEqual([]);
  });
});

describe("coming back", () => {
  test("[VC15] a node that died is left for another, with the same keys", async () => {
    const { session, clock, joined, rooms, asked, cryptos } = setting();
    await joined(lounge);
    rooms[0]?.events.over({ kind: "lost" });
    expect(session.state.value.kind).toBe("reconnecting");
    await clock.advance(0);
    expect(asked[1]).toEqual({ channelId: lounge, joinId: "stay-1" });
    rooms[1]?.events.here();
    expect(session.state.value.kind).toBe("joined");
    expect(cryptos.map(({ closed }) => closed)).toEqual([false]);
  });

  test("[VC15] a place that is gone meanwhile begins anew, with new keys", async () => {
    const { clock, joined, rooms, answers, cryptos } = setting();
    await joined(lounge);
    answers(async (channelId) => joinedOf(channelId, "another" as JoinId));
    rooms[0]?.events.over({ kind: "dead" });
    await clock.advance(0);
    expect(cryptos.map(({ joinId, closed }) => [joinId, closed])).toEqual([
      ["stay-1", true],
      ["another", false],
    ]);
  });

  test("[VC38] whose place was taken elsewhere while they were away does not take it back", async () => {
    const { session, clock, joined, cryptos, answers, asked, left, roster } = setting();
    await joined(lounge);
    roster.value = {
      channelId: lounge,
      epoch: 2,
      members: joinedOf(lounge, "of-the-phone" as JoinId).roster.members,
      ringing: null,
    };
    answers(() => Promise.reject(new ApiError({ code: "conflict", message: "" })));
    cryptos[0]?.over();
    // The word of it was told while they were away.
    await clock.advance(5_000);
    expect(asked.at(-1)).toEqual({ channelId: lounge, joinId: "stay-1" });
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { kind: "ended", reason: "replaced" } } });
    expect(left).toEqual([]);
  });

  test("[VC15] without a node it tries again, and gives up after a minute", async () => {
    const { session, clock, joined, rooms, answers, asked, left } = setting();
    await joined(lounge);
    answers(() => Promise.reject(new ApiError({ code: "unavailable", message: "" })));
    rooms[0]?.events.over({ kind: "lost" });
    await clock.advance(30_000);
    expect(session.state.value.kind).toBe("reconnecting");
    expect(asked.length).toBeGreaterThan(4);
    await clock.advance(60_000);
    expect(session.state.value).toMatchObject({
      kind: "idle",
      ended: { why: { kind: "refused", code: "unavailable" } },
    });
    expect(left).toEqual(["lounge stay-1"]);
  });

  test("[VC20] who reaches the media of no node, twice in a row, is told so instead of being called back for ever", async () => {
    const { session, clock, joined, rooms, left } = setting();
    await joined(lounge);
    for (const kind of ["unreachable", "dead", "unreachable"] as const) {
      rooms.at(-1)?.events.over({ kind });
      await clock.advance(0);
      rooms.at(-1)?.events.here();
      expect(session.state.value.kind).toBe("joined");
    }
    rooms.at(-1)?.events.over({ kind: "unreachable" });
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { kind: "ended", reason: "timeout" } } });
    await clock.advance(60_000);
    expect([rooms.length, left]).toEqual([4, ["lounge stay-1"]]);
  });

  test("[VC15] waiting for a node ends when the server says that there is one", async () => {
    const { session, clock, joined, rooms, answers, asked } = setting();
    await joined(lounge);
    answers(() => Promise.reject(new ApiError({ code: "unavailable", message: "", retryAfterMs: 2_000 })));
    rooms[0]?.events.over({ kind: "lost" });
    await clock.advance(0);
    expect(asked).toHaveLength(2);
    answers(async (channelId) => joinedOf(channelId, "stay-1" as JoinId));
    session.rejoin(lounge, "another" as JoinId);
    await clock.advance(0);
    expect(asked).toHaveLength(2);
    session.rejoin(lounge, "stay-1" as JoinId);
    await clock.advance(0);
    expect([asked.length, rooms.length]).toEqual([3, 2]);
    await clock.advance(60_000);
    expect(asked).toHaveLength(3);
  });

  test("[VC15] the server's word that the node is gone counts for this place only", async () => {
    const { session, clock, joined, rooms } = setting();
    await joined(lounge);
    session.rejoin(lounge, "another" as JoinId);
    expect(session.state.value.kind).toBe("joined");
    session.rejoin(lounge, "stay-1" as JoinId);
    await clock.advance(0);
    expect([rooms.length, rooms[0]?.state]).toEqual([2, "closed"]);
  });

  test("[VC16] keys that are gone begin another stay", async () => {
    const { clock, joined, cryptos, asked, left } = setting();
    await joined(lounge);
    cryptos[0]?.over();
    await clock.advance(0);
    expect([asked[1]?.joinId, left]).toEqual([undefined, ["lounge stay-1"]]);
    expect(cryptos.map(({ closed }) => closed)).toEqual([true, false]);
  });

  test("[VC16] keys that are lost while a place is asked for: the question that was asked last counts", async () => {
    const { session, clock, joined, rooms, answers, cryptos } = setting();
    await joined(lounge);
    const waiting: ((joinId: string) => void)[] = [];
    answers(
      (channelId) => new Promise((resolve) => waiting.push((joinId) => resolve(joinedOf(channelId, joinId as JoinId)))),
    );
    rooms[0]?.events.over({ kind: "lost" });
    await clock.advance(0);
    cryptos[0]?.over();
    waiting[0]?.("stay-1");
    await clock.advance(5_000);
    // The other stay puts an end to the one before.
    session.ended("stay-1" as JoinId, "replaced", undefined);
    waiting[1]?.("stay-2");
    await settle();
    rooms.at(-1)?.events.here();
    expect(session.state.value).toMatchObject({ kind: "joined", channelId: lounge });
    expect(rooms.map(({ joined: { joinId } }) => joinId)).toEqual(["stay-1", "stay-2"]);
  });

  test("[VC19] a machine that slept longer than a place is kept wakes up outside of the call, and is told", async () => {
    const { session, clock, joined, rooms, asked, left } = setting();
    await joined(lounge);
    await clock.advance(600_000);
    clock.sleep(50_000);
    await clock.advance(0);
    expect(session.state.value.kind).toBe("joined");
    clock.sleep(8 * 3_600_000);
    rooms[0]?.events.over({ kind: "lost" });
    await clock.advance(0);
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { kind: "ended", reason: "lost" } } });
    expect([rooms.map(({ state }) => state), left]).toEqual([["closed"], ["lounge stay-1"]]);
    await clock.advance(60_000);
    expect([rooms.length, asked.length <= 2, session.state.value.kind]).toEqual([1, true, "idle"]);
  });

  test("[VC12] leaving while it comes back ends it for good", async () => {
    const { session, clock, joined, rooms, asked } = setting();
    await joined(lounge);
    rooms[0]?.events.over({ kind: "lost" });
    session.leave();
    await clock.advance(60_000);
    expect(asked).toHaveLength(1);
    expect(session.state.value).toEqual({ kind: "idle" });
  });
});

describe("moderators", () => {
  test("[VC17] who is disconnected is told, once, for the place they hold", async () => {
    const { session, joined, rooms, cryptos } = setting();
    await joined(lounge);
    session.ended("another" as JoinId, "disconnected", undefined);
    expect(session.state.value.kind).toBe("joined");
    session.ended("stay-1" as JoinId, "disconnected", undefined);
    expect(session.state.value).toMatchObject({
      kind: "idle",
      ended: { why: { kind: "ended", reason: "disconnected" } },
    });
    expect([rooms[0]?.state, cryptos[0]?.closed]).toEqual(["closed", true]);
  });

  test("[VC17] who is moved goes there, with the place that was taken for them", async () => {
    const { session, joined, asked } = setting();
    await joined(lounge);
    session.ended("stay-1" as JoinId, "moved", { channelId: attic, joinId: "there" as JoinId });
    await settle();
    expect(asked[1]).toEqual({ channelId: attic, joinId: "there" });
    expect(session.state.value).toMatchObject({ channelId: attic });
  });

  test("[VC17] a place that is taken away while media is on its way there: the server's word is awaited, and nobody comes back uninvited", async () => {
    const { session, clock, rooms, asked } = setting();
    const refused = { kind: "refused", error: new ApiError({ code: "forbidden", message: "" }) } as const;
    await session.join(lounge);
    rooms[0]?.events.over(refused);
    session.ended("stay-1" as JoinId, "moved", { channelId: attic, joinId: "there" as JoinId });
    await settle();
    expect(asked.slice(1)).toEqual([{ channelId: attic, joinId: "there" }]);
    rooms[1]?.events.over(refused);
    await clock.advance(60_000);
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { reason: "disconnected" } } });
    expect(asked).toHaveLength(2);
  });

  test("[VC17] the server's word that comes before the answer which names the place holds for it: moved, one goes along", async () => {
    const { session, answers, asked, rooms } = setting();
    let answer: (() => void) | undefined;
    answers(
      (channelId, joinId) =>
        new Promise((resolve) => {
          answer = () => resolve(joinedOf(channelId, joinId ?? ("stay-1" as JoinId)));
        }),
    );
    const joining = session.join(lounge);
    session.ended("stay-1" as JoinId, "moved", { channelId: attic, joinId: "there" as JoinId });
    answer?.();
    await joining;
    await settle();
    expect(asked.slice(1)).toEqual([{ channelId: attic, joinId: "there" }]);
    answer?.();
    await settle();
    rooms[0]?.events.here();
    expect(session.state.value).toMatchObject({ kind: "joined", channelId: attic });
  });

  test("[VC17] who is replaced before the answer which names the place is told so, and brings no media there", async () => {
    const { session, answers, rooms, left } = setting();
    let answer: (() => void) | undefined;
    answers((channelId) => new Promise((resolve) => (answer = () => resolve(joinedOf(channelId, "stay-1" as JoinId)))));
    const joining = session.join(lounge);
    session.ended("stay-1" as JoinId, "replaced", undefined);
    answer?.();
    await joining;
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { kind: "ended", reason: "replaced" } } });
    expect([rooms, left]).toEqual([[], []]);
  });

  test("[VC17] the list that no longer names one comes first: moved, one goes along, and asks for nothing here meanwhile", async () => {
    const { session, clock, joined, roster, cryptos, asked, left } = setting();
    await joined(lounge);
    roster.value = { channelId: lounge, epoch: 2, members: [], ringing: null };
    cryptos[0]?.over();
    await clock.advance(500);
    session.ended("stay-1" as JoinId, "moved", { channelId: attic, joinId: "there" as JoinId });
    await clock.advance(60_000);
    expect(asked.slice(1)).toEqual([{ channelId: attic, joinId: "there" }]);
    expect(left).toEqual([]);
  });

  test("[VC17] the list that no longer names one comes first: who is disconnected does not come back", async () => {
    const { session, clock, joined, roster, cryptos, asked } = setting();
    await joined(lounge);
    roster.value = { channelId: lounge, epoch: 2, members: [], ringing: null };
    cryptos[0]?.over();
    await clock.advance(500);
    session.ended("stay-1" as JoinId, "disconnected", undefined);
    await clock.advance(60_000);
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { reason: "disconnected" } } });
    expect(asked).toHaveLength(1);
  });

  test("[VC17] a list that does not name one, and no word why: the place is asked for by its name", async () => {
    const { clock, joined, roster, cryptos, asked } = setting();
    await joined(lounge);
    roster.value = { channelId: lounge, epoch: 9, members: [], ringing: null };
    cryptos[0]?.over();
    await clock.advance(5_000);
    expect(asked.slice(1)).toEqual([{ channelId: lounge, joinId: "stay-1" }]);
  });

  test("[VC17] the node's word comes first, and the server's says why", async () => {
    const { session, joined, rooms } = setting();
    await joined(lounge);
    rooms[0]?.events.over({ kind: "closed", reason: "kicked", channelId: undefined });
    session.ended("stay-1" as JoinId, "replaced", undefined);
    expect(session.state.value).toMatchObject({ kind: "idle", ended: { why: { reason: "replaced" } } });
  });

  test("[VC17] the node's word comes first: who is kicked does not come back", async () => {
    const { session, clock, joined, rooms, asked } = setting();
    await joined(lounge);
    rooms[0]?.events.over({ kind: "closed", reason: "kicked", channelId: undefined });
    await clock.advance(60_000);
    expect(session.state.value.kind).toBe("idle");
    expect(asked).toHaveLength(1);
  });
});

test("[VC18] every list of members reaches the keys, in order", async () => {
  const { joined, roster, cryptos } = setting();
  await joined(lounge);
  for (const epoch of [2, 3]) roster.value = { channelId: lounge, epoch, members: [], ringing: null };
  expect(cryptos[0]?.rosters).toEqual([1, 2, 3]);
});
