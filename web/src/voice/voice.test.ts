import type { ChannelId, JoinId, UserId } from "@lescopains/protocol/ids";
import type { VoiceFlags, VoiceJoined, VoiceMember, VoiceRoster } from "@lescopains/protocol/voice";
import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { ApiError } from "../net/api-error.ts";
import { FakeClock, settle } from "../sync/fakes.ts";
import type { VoiceLine } from "../sync/voice-line.ts";
import type { FrameCrypto } from "./frames/frames.ts";
import type { MediaRoom, MediaRoomEvents } from "./media-room.ts";
import type { Microphone } from "./microphone.ts";
import { createPrefs } from "./prefs.ts";
import type { Remote } from "./receiving.ts";
import { createVoice } from "./voice.ts";

const self = "self" as UserId;
const lounge = "lounge" as ChannelId;
const joinId = "stay" as JoinId;

/** Somebody in a call whose server answers as the test says. */
async function inCall() {
  const clock = new FakeClock();
  const member = { userId: self, deviceId: 1, joinId } as unknown as VoiceMember;
  const roster = signal<VoiceRoster | undefined>({ channelId: lounge, epoch: 1, members: [member], ringing: null });
  const said: VoiceFlags[] = [];
  const world = { refusal: undefined as ApiError | undefined };
  const line = {
    roster: () => roster,
    on: () => () => undefined,
    leave: async () => undefined,
    async say(flags: VoiceFlags) {
      if (world.refusal !== undefined) throw world.refusal;
      said.push(flags);
    },
  } as unknown as VoiceLine;
  let events: MediaRoomEvents | undefined;
  const screen = { getTracks: () => tracks, getVideoTracks: () => tracks.slice(0, 1) };
  const tracks = ["video", "audio"].map((kind) => Object.assign(new EventTarget(), { kind, stop: () => undefined }));
  const voice = createVoice({
    selfId: self,
    line,
    take: async () => ({ joinId, roster: roster.peek() }) as unknown as VoiceJoined,
    canEncrypt: () => true,
    startCrypto: () => ({ roster: () => undefined, close: () => undefined }) as unknown as FrameCrypto,
    openRoom(_inputs, given) {
      events = given;
      return {
        remotes: signal<ReadonlyMap<string, Remote>>(new Map()),
        speakers: signal(new Set()),
        rights: signal([]),
        send: () => undefined,
        hear: () => undefined,
        reconsider: () => undefined,
        measure: async () => ({ reports: [], tracks: new Map() }),
        leave: () => undefined,
        close: () => undefined,
      } as unknown as MediaRoom;
    },
    prefs: createPrefs({ get: () => null, set: () => undefined }),
    devices: {
      openMicrophone: async () =>
        ({
          open: signal(false),
          gates: true,
          setRule: () => undefined,
          close: () => undefined,
        }) as unknown as Microphone,
      askCamera: () => Promise.reject(new Error("no camera")),
      askScreen: async () => screen as unknown as MediaStream,
    },
    createListening: () => expect.unreachable(),
    playCue: () => undefined,
    clock,
    random: () => 0.5,
  });
  voice.join(lounge);
  await settle();
  events?.here();
  await settle();
  return { voice, clock, said, world, events: () => events! };
}

test("[VC43] what one does reaches the others though it was too much at once: the last of it, as soon as it may", async () => {
  const { voice, clock, said, world } = await inCall();
  expect(said).toHaveLength(1);
  world.refusal = new ApiError({ code: "rate_limited", message: "", retryAfterMs: 1_000 });
  voice.own.setMuted(true);
  await clock.advance(3_000);
  world.refusal = undefined;
  await clock.advance(1_000);
  expect(said.slice(1).map(({ muted }) => muted)).toEqual([true]);
  await clock.advance(60_000);
  expect(said).toHaveLength(2);
  voice.close();
});

test("[VC43] what is no longer so when it may be said is not said", async () => {
  const { voice, clock, said, world } = await inCall();
  world.refusal = new ApiError({ code: "rate_limited", message: "", retryAfterMs: 1_000 });
  voice.own.setMuted(true);
  await settle();
  voice.own.setMuted(false);
  world.refusal = undefined;
  await clock.advance(60_000);
  expect(
    said
      .map(({ muted }) => muted)
      .slice(1)
      .filter((muted) => muted),
  ).toEqual([]);
  voice.leave();
  await clock.advance(60_000);
  voice.close();
});

test("[VC66] a screen whose sound cannot be sent is shown without it", async () => {
  const { voice, events } = await inCall();
  await voice.own.setScreen(true);
  events().sendFailed("screen-audio", new Error("track ended"));
  await settle();
  expect([voice.own.screen.value === null, voice.sendRefused.value]).toEqual([false, "internal"]);
  events().sendFailed("screen", new Error("no encoder"));
  await settle();
  expect(voice.own.screen.value).toBeNull();
  voice.close();
});
