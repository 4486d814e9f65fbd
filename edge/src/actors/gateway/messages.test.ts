import type { UserId } from "@lescopains/protocol/ids";
import { expect, test } from "vitest";
import { ciphertextFor } from "./messages.ts";

const ada = "01980000-0000-7000-8000-00000000000a" as UserId;
const bob = "01980000-0000-7000-8000-00000000000b" as UserId;

test("[DM12] a device gets the ciphertext that is for it, and a connection without a device gets none", () => {
  const each = [
    { userId: bob, deviceId: 1, type: 3, body: "AQ==" },
    { userId: ada, deviceId: 2, type: 2, body: "Ag==" },
  ] as const;
  const sealed = { from: { userId: ada, deviceId: 1 }, each };
  expect(ciphertextFor(sealed, bob, 1)).toEqual({ type: 3, body: "AQ==" });
  expect(ciphertextFor(sealed, ada, 2)).toEqual({ type: 2, body: "Ag==" });
  for (const [userId, deviceId] of [
    [ada, 1],
    [bob, 2],
    [bob, null],
  ] as const)
    expect(ciphertextFor(sealed, userId, deviceId)).toBeNull();
});

test("[DM13] a ciphertext for all is for every device but the one that sent it", () => {
  const shared = { type: 7, body: "AA==" } as const;
  const sealed = { from: { userId: ada, deviceId: 1 }, shared };
  expect(ciphertextFor(sealed, ada, 1)).toBeNull();
  expect(ciphertextFor(sealed, ada, 2)).toEqual(shared);
  expect(ciphertextFor(sealed, bob, 1)).toEqual(shared);
  expect(ciphertextFor(sealed, bob, null)).toBeNull();
});
