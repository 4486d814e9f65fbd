import type { UserId } from "@lescopains/protocol/ids";
import { expect, test, vi } from "vitest";
import type { RemoteKeys } from "../keys/remote.ts";
import type { Socket } from "../net/socket.ts";
import { createDevice } from "./device.ts";
import { FakeClock, FakePort, FakeStorage } from "./fakes.ts";

function setUp() {
  const [clock, port] = [new FakeClock(), new FakePort()];
  port.answer = () => new Promise(() => undefined);
  const keys: RemoteKeys = Object.assign(port, { feed: vi.fn(), close: vi.fn() });
  const openKeys = vi.fn(() => keys);
  const device = createDevice({
    selfId: "018f0000-0000-7000-8000-0000000000aa" as UserId,
    socket: { useDevice: () => undefined } as unknown as Socket,
    storage: new FakeStorage(),
    clock,
    openKeys,
  });
  return { clock, device, keys, openKeys };
}

test("[CL3] after the end nothing starts the keys any more, and who asks them is refused", async () => {
  const { device, openKeys } = setUp();
  device.close();
  await expect(device.port.ask("dm:states", {})).rejects.toMatchObject({ code: "not_ready" });
  expect(openKeys).not.toHaveBeenCalled();
});

test("[CL3] what is asked of keys that were ended is refused, not left without an answer", async () => {
  const { device, keys } = setUp();
  void device.port.ask("dm:states", {});
  device.close();
  expect(keys.close).toHaveBeenCalledOnce();
  await expect(device.port.ask("dm:states", {})).rejects.toMatchObject({ code: "not_ready" });
});
