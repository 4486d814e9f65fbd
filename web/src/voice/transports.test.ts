import type { types } from "mediasoup-client";
import { expect, test } from "vitest";
import { FakeClock } from "../sync/fakes.ts";
import type { SfuLink } from "./sfu-link.ts";
import { keepPath } from "./transports.ts";

/** A path whose state the test decides, at a node that restarts it as often as it is asked. */
function setting() {
  const clock = new FakeClock();
  const told: string[] = [];
  let changed: ((state: types.ConnectionState) => void) | undefined;
  const transport = {
    id: "t",
    closed: false,
    connectionState: "connecting",
    on: (_event: string, listener: typeof changed) => (changed = listener),
    restartIce: async () => void told.push("restart"),
  };
  const link = { request: async () => ({ iceParameters: {} }) } as unknown as SfuLink;
  keepPath(transport as unknown as types.Transport, { link, clock, dead: (was) => told.push(`dead, was ${was}`) });
  return { clock, told, is: (state: types.ConnectionState) => changed?.(state) };
}

test("[VC15] a path that no restart brings back is dead; whether there was one at all is told", async () => {
  for (const was of [false, true]) {
    const { clock, told, is } = setting();
    if (was) is("connected");
    is("failed");
    await clock.advance(60_000);
    expect(told).toEqual(["restart", "restart", "restart", `dead, was ${was}`]);
  }
});
