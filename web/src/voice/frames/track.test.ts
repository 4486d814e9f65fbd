import { expect, test } from "vitest";
import type { AttachedTrack, FromWorker } from "./link.ts";
import type { FrameSession } from "./session.ts";
import { createTrack, type EncodedFrame } from "./track.ts";

/** A track whose frames seal to one byte more and open as `opened` says. */
function trackOf(use: AttachedTrack, opened: Awaited<ReturnType<FrameSession["open"]>>[] = []) {
  let nowMs = 0;
  let asked = 0;
  const told: FromWorker[] = [];
  const passed: Uint8Array[] = [];
  const session: FrameSession = {
    roster: () => undefined,
    message: () => undefined,
    seal: async (_role, _codec, frame) => Uint8Array.of(...frame, 0),
    open: async () => opened.shift() ?? { kind: "dropped", reason: "malformed" },
    close: () => undefined,
  };
  const track = createTrack(use, {
    session,
    tell: (message) => told.push(message),
    now: () => nowMs,
    askKeyFrame: () => {
      asked += 1;
    },
  });
  return {
    told,
    passed,
    counts: () => track.counts(),
    asked: () => asked,
    async take(frame: { readonly type?: string; readonly mimeType?: string; readonly atMs?: number; data?: number[] }) {
      nowMs = frame.atMs ?? nowMs;
      const { type, mimeType, data = [1] } = frame;
      const encoded: EncodedFrame = {
        data: Uint8Array.from(data).buffer,
        ...(type === undefined ? {} : { type }),
        getMetadata: () => (mimeType === undefined ? {} : { mimeType }),
      };
      await track.transform(encoded, ({ data: bytes }) => passed.push(new Uint8Array(bytes)));
    },
  };
}

const frame = { kind: "frame", frame: Uint8Array.of(7) } as const;
const unknown = { kind: "dropped", reason: "unknown_key" } as const;
const camera = { id: 1, direction: "receive", role: "camera", joinId: "b" } as const;

test("[FR3] what is made with another codec does not leave", async () => {
  const track = trackOf({ id: 1, direction: "send", role: "audio", codec: "opus" });
  for (const mimeType of ["audio/opus", "audio/red", "video/H264", "video/AV1", "video/VP8", "video/VP9", undefined]) {
    await track.take(mimeType === undefined ? {} : { mimeType });
  }
  expect(track.counts()).toMatchObject({ passed: 4, dropped: { codec: 3 } });
  expect(track.passed).toEqual(Array.from({ length: 4 }, () => Uint8Array.of(1, 0)));
});

test("[FR22] it is told when a track cannot be opened for lack of a key, and when it can", async () => {
  const track = trackOf(camera, [unknown, unknown, frame, frame, unknown, frame]);
  for (let count = 0; count < 6; count++) await track.take({ type: "key" });
  expect(track.told.map((message) => message.kind === "opens" && message.opens)).toEqual([false, true, false, true]);
  expect(track.counts()).toMatchObject({ passed: 3, dropped: { unknown_key: 3 } });
});

test("[FR23] after lost frames a key frame is asked for, twice a second at most, until one comes", async () => {
  const track = trackOf(camera, [frame, unknown, frame, frame, frame, frame, frame]);
  await track.take({ type: "delta", atMs: 0 });
  expect(track.asked()).toBe(0);
  for (const atMs of [1_000, 1_100, 1_599, 1_600]) await track.take({ type: "delta", atMs });
  expect(track.asked()).toBe(2);
  await track.take({ type: "key", atMs: 3_000 });
  await track.take({ type: "delta", atMs: 4_000 });
  expect(track.asked()).toBe(2);
});

test("[FR23] a repeated frame breaks nothing, and an empty one is none", async () => {
  const track = trackOf(camera, [{ kind: "dropped", reason: "replayed" }, frame]);
  await track.take({ type: "delta", data: [] });
  await track.take({ type: "delta" });
  await track.take({ type: "delta" });
  expect(track.asked()).toBe(0);
  expect(track.counts()).toMatchObject({ passed: 1, dropped: { replayed: 1 } });
});
