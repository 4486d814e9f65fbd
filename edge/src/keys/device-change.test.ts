import type { DeviceList, ListedDevice } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { DeviceBody, PublishedDevices } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import fc from "fast-check";
import { expect, test } from "vitest";
import { registration, revocation } from "./device-change.ts";

const ada = "01980000-0000-7000-8000-00000000000a" as UserId;
const bob = "01980000-0000-7000-8000-00000000000b" as UserId;

const line: fc.Arbitrary<ListedDevice> = fc.record({
  deviceId: fc.integer({ min: 1, max: 4 }),
  registrationId: fc.integer({ min: 1, max: 2 }),
  createdAt: fc.integer({ min: 0, max: 1 }),
});
const devices = fc.uniqueArray(line, {
  minLength: 1,
  maxLength: LIMITS.devicesPerUser,
  selector: ({ deviceId }) => deviceId,
});
const list: fc.Arbitrary<DeviceList> = fc.record({
  userId: fc.constantFrom(ada, ada, ada, bob),
  version: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 998, max: 1_006 })),
  devices,
});
const identity = fc.constantFrom("one", "two");
const present: fc.Arbitrary<PublishedDevices | null> = fc.option(
  fc.record({
    identityKey: identity,
    deviceList: list.map((one) => ({ ...one, userId: ada })),
    deviceListSignature: fc.constant(""),
  }),
);
const key = { keyId: 1, publicKey: "", signature: "" };
const body: fc.Arbitrary<DeviceBody> = fc
  .record({ deviceList: list, own: line, identityKey: identity, resets: fc.boolean() })
  .map(({ deviceList, own, identityKey, resets }) => ({
    deviceId: own.deviceId,
    registrationId: own.registrationId,
    identityKey,
    signedPreKey: key,
    kyberPreKey: key,
    name: "Firefox",
    deviceList,
    deviceListSignature: "",
    bindingSignature: "",
    ...(resets ? { reset: { password: "" } } : {}),
  }));

/** Not by much: no client uses up the numbers. */
function expectNext(before: number, version: number, changes: boolean): void {
  if (!changes) expect(version).toBe(before);
  else {
    expect(version).toBeGreaterThan(before);
    expect(version).toBeLessThanOrEqual(before + 1_000);
  }
}

const lines = (of: DeviceList) => of.devices.map((device) => JSON.stringify(device));

test("[KEY3] [KEY7] whatever is registered: the version goes up or nothing changes, and nobody else's line does", () => {
  let granted = 0;
  fc.assert(
    fc.property(present, body, (before, asked) => {
      const decided = registration(ada, before, asked);
      if (!decided.ok) return;
      granted += 1;
      const { expectedVersion, expectedIdentityKey, kept, fresh, changes, resets } = decided.value;
      const { deviceList, deviceId, identityKey } = asked;
      expect(deviceList.userId).toBe(ada);
      expect(kept).toEqual(deviceList.devices.map((device) => device.deviceId));
      expect(kept).toContain(deviceId);
      expectNext(expectedVersion, deviceList.version, changes);
      expect(expectedVersion).toBe(before?.deviceList.version ?? 0);
      expect(expectedIdentityKey).toBe(before?.identityKey ?? null);
      expect(resets).toBe(before !== null && before.identityKey !== identityKey);
      if (resets || before === null) expect(kept).toEqual([deviceId]);
      if (resets) expect(asked.reset).toBeDefined();
      const known = new Set(before === null ? [] : lines(before.deviceList));
      const added = deviceList.devices.filter((device) => !known.has(JSON.stringify(device)));
      if (!resets) for (const device of added) expect(device.deviceId).toBe(deviceId);
      // A device starts with nothing exactly when its line is new, or the identity is.
      expect(fresh).toBe(resets || added.length > 0);
      if (!changes) expect(lines(deviceList).toSorted()).toEqual([...known].toSorted());
    }),
    { seed: 20_261_125, numRuns: 20_000 },
  );
  expect(granted).toBeGreaterThan(50);
});

test("[KEY7] a list that is published alone only leaves out, and goes up", () => {
  let granted = 0;
  fc.assert(
    fc.property(present, list, (before, asked) => {
      const decided = revocation(ada, before, asked);
      if (!decided.ok) return;
      granted += 1;
      expect(before).not.toBeNull();
      const known = new Set(before === null ? [] : lines(before.deviceList));
      for (const one of lines(asked)) expect(known.has(one)).toBe(true);
      const version = before?.deviceList.version ?? 0;
      expectNext(version, asked.version, decided.value !== null);
    }),
    { seed: 20_261_125, numRuns: 20_000 },
  );
  expect(granted).toBeGreaterThan(50);
});
