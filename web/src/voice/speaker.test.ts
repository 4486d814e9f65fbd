import { expect, test } from "vitest";
import { settle } from "../sync/fakes.ts";
import { useSpeaker } from "./speaker.ts";

/** A context that takes its time with each loudspeaker, and has not all of them. */
function setting(missing: readonly string[] = []) {
  const steps: (() => void)[] = [];
  const context = {
    sinkId: "",
    setSinkId(id: string) {
      return new Promise<void>((resolve, reject) => {
        steps.push(() => {
          if (missing.includes(id)) {
            reject(new DOMException("", "NotFoundError"));
            return;
          }
          context.sinkId = id;
          resolve();
        });
      });
    },
  };
  return {
    context: context as unknown as AudioContext,
    playsOn: () => context.sinkId,
    run: async () => {
      await settle();
      for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
        step();
        await settle();
      }
    },
  };
}

test("[VC45] of loudspeakers that are chosen one after the other the last one plays", async () => {
  const { context, playsOn, run } = setting();
  void useSpeaker(context, "desk");
  void useSpeaker(context, "");
  await run();
  expect(playsOn()).toBe("");
  void useSpeaker(context, "headphones");
  void useSpeaker(context, "desk");
  await run();
  expect(playsOn()).toBe("desk");
});

test("[VC45] one that is gone leaves it to the system, unless another was chosen meanwhile", async () => {
  const { context, playsOn, run } = setting(["gone"]);
  void useSpeaker(context, "desk");
  await run();
  void useSpeaker(context, "gone");
  await run();
  expect(playsOn()).toBe("");
  void useSpeaker(context, "gone");
  await settle();
  void useSpeaker(context, "headphones");
  await run();
  expect(playsOn()).toBe("headphones");
});
