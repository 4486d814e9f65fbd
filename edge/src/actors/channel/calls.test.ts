import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Database } from "../../db/port.ts";
import type { Env } from "../../platform/env.ts";
import { Calls } from "./calls.ts";
import { People } from "./people.ts";
import { Rights } from "./rights.ts";
import { VoiceKeeper } from "./voice-keeper.ts";

const [ana, leo] = ["ana" as UserId, "leo" as UserId];
const session = "session" as SessionId;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** PostgreSQL as far as a call needs it: Ana is in the room. */
const rows: Readonly<Record<string, (values: readonly unknown[]) => object[]>> = {
  "voice.of_channel": () => [
    {
      epoch: 1,
      joinId: "join" as JoinId,
      userId: ana,
      sessionId: session,
      deviceId: 1,
      ringing: null,
      callId: null,
      ringingUntil: null,
      dueMs: null,
    },
  ],
  "limits.take": () => [{ taken: true, wait_ms: 0 }],
  "voice.ring": () => [{ until: new Date(Date.now() + PERIODS.ringMs).toISOString() }],
  "voice.ring_for": () => [{ joinId: "join" }],
};

function made() {
  const told: AnyDown[] = [];
  const db = {
    query: async ({ name }: { name: string }, values: readonly unknown[]) => rows[name]?.(values) ?? [],
  } as unknown as Database;
  const people = new People([ana, leo].map((userId) => ({ ownerId: ana, userId, joinedSeq: 0 })));
  const keeper = new VoiceKeeper({
    id: "channel" as ChannelId,
    db,
    env: { JWT_SECRET: Buffer.alloc(32).toString("base64") } as Env,
    rights: new Rights(async () => 0n),
    channel: async () => ({ access: { people }, direct: "dm", encrypted: true, isVoice: true, lastSeq: 0 }),
    tell: (_, events) => void told.push(...events),
  });
  return { calls: new Calls(keeper), told };
}

test("[CALL4] what nobody answers for 45 s is missed, and no longer rings", async () => {
  const { calls, told } = made();
  const rung = await calls.ring(ana, session);
  expect(rung).toMatchObject({ ok: true });
  await vi.advanceTimersByTimeAsync(PERIODS.ringMs - 1);
  expect(told.map(({ event }) => event)).toEqual(["call:ringing"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(told.at(-1)).toMatchObject({ event: "call:stopped", body: { userIds: [leo], reason: "missed" } });
});

test("[CALL4] a call that was answered is not missed; nor is the next one cut short by the time of the first", async () => {
  const { calls, told } = made();
  await calls.ring(ana, session);
  await calls.answer(leo, "declined");
  await vi.advanceTimersByTimeAsync(PERIODS.ringMs / 2);
  await calls.ring(ana, session);
  await vi.advanceTimersByTimeAsync(PERIODS.ringMs / 2);
  expect(told.map(({ event }) => event)).toEqual(["call:ringing", "call:stopped", "call:ringing"]);
  await vi.advanceTimersByTimeAsync(PERIODS.ringMs / 2);
  expect(told.at(-1)).toMatchObject({ event: "call:stopped", body: { reason: "missed" } });
});
