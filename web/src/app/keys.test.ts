import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { describe, expect, test } from "vitest";
import type { DeviceState, DmState, KeysEvent, KeysPort, KeysRequest, OwnDeviceView, PeerState } from "../keys/port.ts";
import { KeysError } from "../keys/port.ts";
import { createKeysBook } from "./keys.ts";

const LEO = "leo" as UserId;
const CHANNEL = "channel" as ChannelId;

/** A device that answers from a table, and tells what it is made to tell. */
function fakePort(answers: Partial<Record<KeysRequest, unknown>>) {
  const asked: KeysRequest[] = [];
  const listeners = new Map<KeysEvent, Set<(event: never) => void>>();
  const port = {
    ask(name: KeysRequest) {
      asked.push(name);
      return name in answers
        ? Promise.resolve(answers[name])
        : Promise.reject(new KeysError({ code: "not_ready", message: name }));
    },
    on(name: KeysEvent, listener: (event: never) => void) {
      listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
      return () => void listeners.get(name)?.delete(listener);
    },
  } as unknown as KeysPort;
  const tell = (name: KeysEvent, event: unknown): void => {
    for (const listener of listeners.get(name) ?? []) listener(event as never);
  };
  return { port, tell, asked };
}

const peer = (trust: PeerState["trust"]): PeerState => ({ userId: LEO, trust, sinceMs: 1, devices: 1 });
const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 0);
  });

describe("the device's signals", () => {
  test("[KB1] conversations and the backup are asked for once the device is ready, people again too", async () => {
    const states = [{ channelId: CHANNEL, unread: 2 } as DmState];
    const fake = fakePort({
      "device:state": { kind: "starting" } satisfies DeviceState,
      "dm:states": states,
      "vault:state": { kind: "none" },
    });
    const book = createKeysBook(fake.port);
    expect(book.peer(LEO).value).toBeUndefined();
    await settle();
    expect(fake.asked).toEqual(["device:state", "peer:state"]);
    expect(book.dm(CHANNEL).value).toBeUndefined();

    fake.tell("device", { kind: "ready", deviceId: 1 });
    await settle();
    expect(fake.asked.slice(2).toSorted()).toEqual(["dm:states", "peer:state", "vault:state"]);
    expect(book.dm(CHANNEL).value).toBe(states[0]);
    expect(book.vault.value).toEqual({ kind: "none" });
  });

  test("[KB1] what is told and answered of the device is asked about once", async () => {
    const fake = fakePort({ "device:state": { kind: "ready", deviceId: 1 } satisfies DeviceState });
    const book = createKeysBook(fake.port);
    fake.tell("device", { kind: "ready", deviceId: 1 });
    await settle();
    expect(book.device.value.kind).toBe("ready");
    expect(fake.asked).toEqual(["device:state", "dm:states", "vault:state"]);
  });

  test("[KB4] devices that are asked for while an earlier answer is on its way are those of the later one", async () => {
    const first = Promise.withResolvers<readonly OwnDeviceView[]>();
    const here = { deviceId: 1 } as OwnDeviceView;
    const answers: Partial<Record<KeysRequest, unknown>> = { "devices:list": first.promise };
    const book = createKeysBook(fakePort(answers).port);
    void book.loadDevices();
    answers["devices:list"] = [here];
    const loaded = book.loadDevices();
    // Of before this browser was one of them.
    await settle();
    first.resolve([]);
    await loaded;
    await settle();
    expect(book.devices.value).toEqual([here]);
  });

  test("[KB2] a person is asked for once, and follows what is told", async () => {
    const fake = fakePort({ "device:state": { kind: "starting" }, "peer:state": peer("trusted") });
    const book = createKeysBook(fake.port);
    const leo = book.peer(LEO);
    expect(book.peer(LEO)).toBe(leo);
    await settle();
    expect(leo.value?.trust).toBe("trusted");
    expect(fake.asked.filter((name) => name === "peer:state")).toHaveLength(1);
    fake.tell("peer", peer("blocked"));
    expect(leo.value?.trust).toBe("blocked");
  });

  test("[KB3] a wait for another browser ends with the device's arrival", async () => {
    const fake = fakePort({
      "device:state": { kind: "identityElsewhere", replaced: false, vault: false, passphrase: false },
    });
    const book = createKeysBook(fake.port);
    await settle();
    fake.tell("handoff", { kind: "receiving" });
    fake.tell("restore", { done: 1, total: 3 });
    expect(book.handoff.value?.kind).toBe("receiving");
    fake.tell("device", { kind: "ready", deviceId: 2 });
    expect(book.handoff.value).toBeNull();
    expect(book.restoring.value).toBeNull();
  });
});
