import { expect, test } from "vitest";
import * as v from "valibot";
import { deviceBindingBytes, DeviceList, deviceListBytes } from "./device-list.ts";
import type { SessionId, UserId } from "./ids.ts";

const userId = "01890a5d-ac96-774b-bcce-b302099a8057" as UserId;
const phone = { deviceId: 1, registrationId: 4_711, createdAt: 1_763_000_000_000 };
const laptop = { deviceId: 2, registrationId: 815, createdAt: 1_763_000_360_000 };

test("[KEY5] a device list has one form to be signed, whatever the order of its devices", () => {
  const expected = `LesCopains device list v1
user 01890a5d-ac96-774b-bcce-b302099a8057
version 2
device 1 4711 1763000000000
device 2 815 1763000360000
`;
  for (const devices of [
    [phone, laptop],
    [laptop, phone],
  ])
    expect(new TextDecoder().decode(deviceListBytes({ userId, version: 2, devices }))).toBe(expected);
});

test("[KEY5] that a sign-in speaks for a device has one form to be signed, which no device list has", () => {
  const sessionId = "01890a5d-ac96-774b-bcce-b302099a8058" as SessionId;
  const bytes = deviceBindingBytes({ userId, sessionId, ...phone });
  expect(new TextDecoder().decode(bytes)).toBe(`LesCopains device binding v1
user 01890a5d-ac96-774b-bcce-b302099a8057
session 01890a5d-ac96-774b-bcce-b302099a8058
device 1 4711
`);
});

test("[KEY5] a list that names a device twice, none, too many, or one out of range is no list", () => {
  const fits = (devices: object[], version = 1) => v.is(DeviceList, { userId, version, devices });
  expect(fits([phone, laptop])).toBe(true);
  expect(fits([phone, { ...laptop, deviceId: 1 }])).toBe(false);
  expect(fits([])).toBe(false);
  expect(fits(Array.from({ length: 7 }, (_, n) => ({ ...phone, deviceId: n + 1 })))).toBe(false);
  expect(fits([{ ...phone, deviceId: 128 }])).toBe(false);
  expect(fits([{ ...phone, createdAt: 0.5 }])).toBe(false);
  expect(fits([phone], 0)).toBe(false);
});
