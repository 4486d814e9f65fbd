import { afterEach, expect, test, vi } from "vitest";
import { openMicrophone } from "./microphone.ts";
import { createPrefs } from "./prefs.ts";

const { prefs } = createPrefs({ get: () => JSON.stringify({ noise: "browser" }), set: () => undefined });

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A browser that lends a microphone, and whose audio graph fails where the test says. */
function lending(failsAt: "context" | "module" | "source" | "gate") {
  const track = { kind: "audio", lit: true, stop: () => (track.lit = false), addEventListener: () => undefined };
  const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
  const fail = (where: typeof failsAt): void => {
    if (where === failsAt) throw new DOMException("", "NotSupportedError");
  };
  const contexts: { open: boolean }[] = [];
  vi.stubGlobal("navigator", {
    mediaDevices: {
      getUserMedia: async () => stream,
      enumerateDevices: async () => [],
      addEventListener: () => undefined,
    },
  });
  vi.stubGlobal(
    "AudioContext",
    class {
      readonly state = "running";
      readonly audioWorklet = { addModule: async () => fail("module") };
      open = true;
      constructor() {
        fail("context");
        contexts.push(this);
      }
      async resume(): Promise<void> {}
      async close(): Promise<void> {
        this.open = false;
      }
      createMediaStreamSource(): object {
        fail("source");
        return {};
      }
    },
  );
  vi.stubGlobal(
    "AudioWorkletNode",
    class {
      readonly port = {};
      constructor() {
        fail("gate");
      }
    },
  );
  return { isLit: () => track.lit, open: () => contexts.filter(({ open }) => open).length };
}

test.each(["context", "module", "source", "gate"] as const)(
  "[VC23] a microphone whose sound cannot be led on is let go: %s",
  async (where) => {
    const browser = lending(where);
    await expect(openMicrophone(prefs.peek(), () => undefined)).rejects.toThrow();
    expect([browser.isLit(), browser.open()]).toEqual([false, 0]);
  },
);
