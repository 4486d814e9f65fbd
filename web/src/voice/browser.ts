import type { DeviceId } from "@lescopains/protocol/device-list";
import { ApiError } from "../net/api-error.ts";
import type { Api } from "../net/rest.ts";
import type { Live } from "../sync/live-types.ts";
import { browserClock as clock, browserPage as page } from "../sync/browser.ts";
import { callKeysOf } from "./call-keys-port.ts";
import { playCue } from "./cues.ts";
import { askCamera, askScreen } from "./devices.ts";
import { frameApi, startFrames } from "./frames/frames.ts";
import { createListening } from "./listening.ts";
import { openMediaRoom } from "./media-room.ts";
import { openMicrophone } from "./microphone.ts";
import type { PrefBook } from "./prefs.ts";
import { openSfuSocket } from "./sfu-wire.ts";
import { createVoice, type Voice } from "./voice.ts";

interface BrowserVoiceDeps {
  readonly live: Live;
  readonly api: Api;
  readonly prefs: PrefBook;
  /** This browser's device, as soon as it is known whether there is one. */
  readonly device: () => Promise<DeviceId | undefined>;
}

/** Voice on a real browser. */
export function createBrowserVoice({ live, api, prefs, device }: BrowserVoiceDeps): Voice {
  const selfId = live.self.peek().id;
  return createVoice({
    selfId,
    line: live.voice,
    async take(channelId, joinId, isWanted) {
      // Keys are of a device, and without keys there is no call.
      if ((await device()) === undefined) throw new ApiError({ code: "device_required", message: "no device yet" });
      // A place that nobody wants any more would be taken from one's telephone.
      if (!isWanted()) throw new ApiError({ code: "conflict", message: "left meanwhile" });
      const joined = await api.call("joinVoice", { body: { channelId, joinId } });
      live.voice.take(joined.roster);
      return joined;
    },
    canEncrypt: () => frameApi() !== undefined,
    startCrypto(joined, events) {
      const deviceId = joined.roster.members.find(({ joinId }) => joinId === joined.joinId)?.deviceId ?? undefined;
      const lends = frameApi();
      if (deviceId === undefined || lends === undefined) throw new Error("a place without keys");
      return startFrames({
        callId: joined.roster.channelId,
        self: { accountId: selfId, deviceId, joinId: joined.joinId },
        keys: callKeysOf(live.keys),
        api: lends,
        ...events,
      });
    },
    openRoom: (inputs, events) =>
      openMediaRoom(
        {
          ...inputs,
          createDevice: async () => (await import("mediasoup-client")).Device.factory(),
          openWire: openSfuSocket,
          clock,
          page,
        },
        events,
      ),
    prefs,
    devices: { openMicrophone, askCamera, askScreen },
    createListening,
    playCue: (cue) => playCue(cue, prefs.prefs.peek().speakerId),
    clock,
    random: Math.random,
  });
}
