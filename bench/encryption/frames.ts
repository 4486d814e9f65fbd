import { FrameReceiver } from "@lescopains/e2ee/frames/receiver";
import { FrameSender } from "@lescopains/e2ee/frames/sender";
import type { FrameCodec, TrackRole } from "@lescopains/e2ee/frames/format";

/** Milliseconds; shares in percent of the time that the media lasts. */
export interface FrameSamples {
  readonly sealShare: number;
  readonly openShare: number;
  readonly seal: number[];
  readonly open: number[];
}

interface Frame {
  readonly role: TrackRole;
  readonly codec: FrameCodec;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const mediaSeconds = 20;
const samples = 3_000;
const owner = {
  accountId: "11111111-1111-4111-8111-111111111111",
  deviceId: 1,
  joinId: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
};
const callId = "00000000-0000-4000-8000-0000000000ca";

function frameOf(role: TrackRole, codec: FrameCodec, length: number, isKey = false): Frame {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  bytes[0] = isKey ? 0x10 : 0x11;
  return { role, codec, bytes };
}

/** Opus at 40 kbit/s, and 720p30 in VP8 at 2.5 Mbit/s with a key frame every 10 seconds. */
function secondOfMedia(second: number): Frame[] {
  const audio = Array.from({ length: 50 }, () => frameOf("audio", "opus", 100));
  const video = Array.from({ length: 30 }, (_, index) => {
    const isKey = index === 0 && second % 10 === 0;
    return frameOf("camera", "vp8", isKey ? 60_000 : 10_400, isKey);
  });
  return [...audio, ...video];
}

function pair(): { sender: FrameSender; receiver: FrameReceiver } {
  const key = { epoch: 1, step: 0, secret: crypto.getRandomValues(new Uint8Array(32)) };
  const sender = new FrameSender(crypto.subtle, callId, owner);
  const receiver = new FrameReceiver(crypto.subtle, callId);
  sender.install(key);
  receiver.install(owner, key, 0);
  return { sender, receiver };
}

/** One frame after the other, as a track's transform does it. */
export async function measureFrames(): Promise<FrameSamples> {
  const { sender, receiver } = pair();
  let sealMs = 0;
  let openMs = 0;
  const seal = async ({ role, codec, bytes }: Frame, into?: number[]): Promise<Uint8Array> => {
    const startedMs = performance.now();
    const sealed = await sender.seal(role, codec, bytes);
    const tookMs = performance.now() - startedMs;
    sealMs += tookMs;
    into?.push(tookMs);
    if (sealed === undefined) throw new Error("a frame was not sealed");
    return sealed;
  };
  const open = async (role: TrackRole, sealed: Uint8Array, into?: number[]): Promise<void> => {
    const startedMs = performance.now();
    const opened = await receiver.open(owner.joinId, role, sealed, 0);
    const tookMs = performance.now() - startedMs;
    openMs += tookMs;
    into?.push(tookMs);
    if (opened.kind !== "frame") throw new Error(`a frame was dropped: ${opened.reason}`);
  };
  for (let second = -2; second < mediaSeconds; second += 1) {
    if (second === 0) sealMs = openMs = 0;
    for (const frame of secondOfMedia(second)) await open(frame.role, await seal(frame));
  }
  const share = 100 / (mediaSeconds * 1_000);
  const shares = { sealShare: sealMs * share, openShare: openMs * share };
  const times = { seal: [] as number[], open: [] as number[] };
  for (let index = 0; index < samples; index += 1) {
    await open("audio", await seal(frameOf("audio", "opus", 1_200), times.seal), times.open);
  }
  return { ...shares, ...times };
}
