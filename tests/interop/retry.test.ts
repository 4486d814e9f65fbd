import { DecryptionErrorMessage, PlaintextContent } from "@signalapp/libsignal-client";
import {
  decodeRetryRequest,
  encodeRetryRequest,
  isAboutCurrentSession,
  retryRequestFor,
} from "@lescopains/e2ee/session/retry";
import { expect, test } from "vitest";
import type { Message } from "./kit/device.ts";
import { EngineDevice } from "./kit/engine.ts";
import { OfficialDevice, owned } from "./kit/official.ts";
import { acquainted, alice, pair, roles, say, text } from "./kit/people.ts";

const timestampMs = Date.UTC(2026, 10, 25);

function official({ type, body }: Message): Uint8Array<ArrayBuffer> {
  return PlaintextContent.from(
    DecryptionErrorMessage.forOriginal(owned(body), type, timestampMs, alice.deviceId),
  ).serialize();
}

test.each(roles)("[SE19] %s writes, %s asks: the request is the official one, byte for byte", async (...kinds) => {
  const [a, b] = await pair(kinds, 81);
  await a.begin(b.address, await b.newBundle());
  const beginning = await a.send(b.address, text("first"));
  await b.receive(a.address, beginning);
  await say(b, a, "answer");
  for (const message of [beginning, await a.send(b.address, text("second"))]) {
    const request = retryRequestFor(message, timestampMs, alice.deviceId);
    expect(encodeRetryRequest(request)).toEqual(official(message));
    expect(decodeRetryRequest(official(message))).toEqual(request);
  }
});

test.each(roles)("[SE19] %s writes, %s asks: both know whether it is about the current session", async (...kinds) => {
  const [a, b] = await acquainted(kinds, 82);
  const isAboutCurrent = (message: Message): boolean => {
    const request = retryRequestFor(message, timestampMs, alice.deviceId);
    if (a instanceof OfficialDevice) return a.currentRatchetKeyMatches(b.address, request.ratchetKey ?? expect.fail());
    const record = a instanceof EngineDevice ? a.record(b.address) : undefined;
    return record !== undefined && isAboutCurrentSession(record, request);
  };
  const lost = await a.send(b.address, text("lost"));
  expect(isAboutCurrent(lost)).toBe(true);
  a.archive(b.address);
  await a.begin(b.address, await b.newBundle());
  expect(isAboutCurrent(lost)).toBe(false);
  await say(a, b, "lost, again");
});
