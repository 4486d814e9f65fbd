import type { DownBody, DownEvent } from "@lescopains/protocol/down";
import type { CallId, ChannelId, JoinId, UserId } from "@lescopains/protocol/ids";
import type { VoiceMember, VoiceRoster } from "@lescopains/protocol/voice";
import { expect, test } from "vitest";
import { settle } from "./fakes.ts";
import { createVoiceLine } from "./voice-line.ts";

const [self, leo, ana] = ["self", "leo", "ana"] as UserId[] as [UserId, UserId, UserId];
const lounge = "lounge" as ChannelId;

function member(userId: UserId, changes: Partial<VoiceMember> = {}): VoiceMember {
  return { userId, joinId: `of-${userId}` as JoinId, deviceId: 1, muted: false, ...changes } as VoiceMember;
}

function setting() {
  const listeners = new Map<string, (body: never) => void>();
  const asked: string[] = [];
  let whole: VoiceRoster | undefined;
  const line = createVoiceLine({
    selfId: self,
    socket: {
      on: (event: string, listener: (body: never) => void) => void listeners.set(event, listener),
      emit: (async () => ({ ok: true })) as never,
      insist: (async (event: string) => {
        asked.push(event);
        return { ok: true };
      }) as never,
    },
    api: {
      call: (async () => {
        asked.push("getVoice");
        if (whole === undefined) throw new Error("away");
        return whole;
      }) as never,
    },
  });
  return {
    line,
    asked,
    is: (roster: VoiceRoster) => (whole = roster),
    tell: <E extends DownEvent>(event: E, body: DownBody<E>) => listeners.get(event)?.(body as never),
    state: (epoch: number, userId: UserId, of: VoiceMember | null) =>
      listeners.get("voice:state")?.({ channelId: lounge, epoch, userId, joinId: `of-${userId}`, member: of } as never),
    people: () => line.roster(lounge).value?.members.map(({ userId }) => userId) ?? [],
  };
}

test("[VC41] who comes, changes and goes is followed, in the order they came", () => {
  const { state, people, line, asked } = setting();
  state(1, leo, member(leo));
  state(2, ana, member(ana));
  state(2, leo, member(leo, { muted: true }));
  expect(people()).toEqual([leo, ana]);
  expect(line.roster(lounge).value?.members[0]?.muted).toBe(true);
  state(3, leo, null);
  expect(people()).toEqual([ana]);
  expect(asked).toEqual([]);
});

test("[VC41] old news changes nothing", () => {
  const { state, people } = setting();
  state(5, leo, member(leo));
  state(4, ana, member(ana));
  expect(people()).toEqual([leo]);
});

test("[VC41] a hole between epochs is filled by asking for the whole list", async () => {
  const { state, people, is, asked } = setting();
  state(1, leo, member(leo));
  is({ channelId: lounge, epoch: 3, members: [member(ana), member(self)], ringing: null });
  state(3, self, member(self));
  await settle();
  expect(asked).toEqual(["getVoice"]);
  expect(people()).toEqual([ana, self]);
});

test("[VC41] after a reconnect what is not told is empty", () => {
  const { state, people, tell } = setting();
  state(1, leo, member(leo));
  tell("ready", { voice: [] } as unknown as DownBody<"ready">);
  expect(people()).toEqual([]);
});

test("[VC42] a call rings here while it names one, and stops with whatever ends it", () => {
  const { line, tell } = setting();
  const ended: string[] = [];
  line.on("ringEnded", ({ reason }) => ended.push(reason));
  const callId = "call" as CallId;
  tell("call:ringing", { channelId: lounge, callId, callerId: leo, userIds: [self, ana], until: "" });
  expect(line.incoming.value).toEqual([{ channelId: lounge, callId, callerId: leo }]);
  tell("call:stopped", { channelId: lounge, callId, callerId: leo, userIds: [ana], reason: "declined" } as never);
  expect(line.incoming.value).toHaveLength(1);
  tell("call:stopped", { channelId: lounge, callId, callerId: leo, userIds: [self], reason: "missed" } as never);
  expect(line.incoming.value).toEqual([]);
  expect(ended).toEqual(["declined", "missed"]);
});

test("[VC41] a list that was asked for, and comes after the events that it lacks, takes back none of them", async () => {
  const { line, state, tell } = setting();
  const asked: VoiceRoster = { channelId: lounge, epoch: 1, members: [member(leo)], ringing: null };
  tell("ready", { voice: [asked] } as unknown as DownBody<"ready">);
  state(1, leo, member(leo, { muted: true }));
  const callId = "call" as CallId;
  tell("call:ringing", { channelId: lounge, callId, callerId: leo, userIds: [self], until: "" });
  line.take(asked);
  expect(line.roster(lounge).value?.members[0]?.muted).toBe(true);
  expect(line.incoming.value).toHaveLength(1);
});

test("[VC41] of a channel that one may look into since a moment ago the list that was asked for is the whole one", () => {
  const { line, state, people } = setting();
  state(7, self, member(self));
  line.take({ channelId: lounge, epoch: 7, members: [member(leo), member(self)], ringing: null });
  expect(people()).toEqual([leo, self]);
});

test("[VC42] a call that was stopped before the list came that was asked for on its account rings no more", async () => {
  const { line, tell, is, asked } = setting();
  const callId = "call" as CallId;
  const ringing = { callId, callerId: leo, userIds: [self], until: "" };
  is({ channelId: lounge, epoch: 1, members: [member(leo)], ringing });
  tell("call:ringing", { channelId: lounge, ...ringing });
  tell("call:stopped", { channelId: lounge, callId, callerId: leo, userIds: [self], reason: "accepted" } as never);
  await settle();
  expect(asked).toEqual(["getVoice"]);
  expect(line.roster(lounge).value?.members).toHaveLength(1);
  expect(line.incoming.value).toEqual([]);
});

test("[SO11] what one does about a call is insisted on", async () => {
  const { line, asked } = setting();
  await line.call("decline", lounge);
  expect(asked).toEqual(["call:decline"]);
});
