import type { ChannelId } from "@lescopains/protocol/ids";
import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { settle } from "../sync/fakes.ts";
import type { VoiceLine } from "../sync/voice-line.ts";
import type { VoiceState } from "../voice/session.ts";
import type { Voice } from "../voice/voice.ts";
import { openVoiceHub } from "./voice.ts";

const [lounge, attic] = ["lounge", "attic"] as ChannelId[] as [ChannelId, ChannelId];

/** Voice that notes what it is asked, and whose code comes when the test says so. */
function setting() {
  const asked: string[] = [];
  const state = signal<VoiceState>({ kind: "idle" });
  const loaded = Promise.withResolvers<Voice>();
  const line = {
    roster: () => signal(undefined),
    async call(what: string, channelId: ChannelId) {
      asked.push(`${what} ${channelId}`);
    },
  } as unknown as VoiceLine;
  const hub = openVoiceHub({ voice: line }, () => loaded.promise);
  return {
    hub,
    asked,
    load: async () => {
      loaded.resolve({
        state,
        join(channelId: ChannelId) {
          asked.push(`join ${channelId}`);
          state.value = { kind: "joining", channelId, sinceMs: 0 };
        },
        own: { setCamera: async (on: boolean) => void asked.push(`camera ${on}`) },
      } as unknown as Voice);
      await settle();
    },
    comeIn: (channelId: ChannelId) => (state.value = { kind: "joined", channelId, sinceMs: 0 }),
    refuse: () => (state.value = { kind: "idle" }),
  };
}

test("[VC28] who calls lets the others ring once they are in", async () => {
  const { hub, asked, load, comeIn } = setting();
  await load();
  hub.call(lounge, true);
  await settle();
  expect(asked).toEqual(["join lounge", "camera true"]);
  comeIn(lounge);
  expect(asked.slice(2)).toEqual(["ring lounge"]);
});

test("[VC28] a call that did not come about rings for nobody when one comes into that of another later", async () => {
  const { hub, asked, load, comeIn, refuse } = setting();
  await load();
  hub.call(lounge, false);
  await settle();
  refuse();
  hub.join(lounge);
  comeIn(lounge);
  expect(asked).toEqual(["join lounge", "join lounge"]);
});

test("[VC12] of what is wished while the code comes the last holds, the camera included", async () => {
  const { hub, asked, load } = setting();
  hub.join(lounge, true);
  hub.join(attic);
  expect(hub.loading.value).toBe(attic);
  await load();
  expect(asked).toEqual(["join attic"]);
});
