import { decodePreKeySignalMessage, decodeSignalMessage } from "@lescopains/e2ee/wire/messages";
import { describe, expect, test } from "vitest";
import type { Message } from "./kit/device.ts";
import { pair, roles } from "./kit/people.ts";
import type { Kind } from "./kit/people.ts";
import { readCount, traffic } from "./kit/traffic.ts";
import type { Road } from "./kit/traffic.ts";

const preKey = 3;

/** Epoch of the post-quantum ratchet that a message is of: a varint behind the version. */
function epochOf({ type, body }: Message): number {
  const { pqRatchet } = decodeSignalMessage(type === preKey ? decodePreKeySignalMessage(body).message : body);
  const [, first = 0, second = 0] = pqRatchet;
  return first < 128 ? first : (first & 127) + second * 128;
}

/** The same traffic between the official library and itself, and between it and the engine. */
async function compare(kinds: readonly [Kind, Kind], seed: number, deliveries: number, road: Road) {
  const expected = await traffic(await pair(["official", "official"], seed), seed, deliveries, road);
  let epoch = 0;
  const outcomes = await traffic(await pair(kinds, seed), seed, deliveries, road, (message) => {
    epoch = Math.max(epoch, epochOf(message));
  });
  return { expected, outcomes, epoch };
}

const rough: Road = { overtakes: 6, lostPercent: 4, doubledPercent: 4, turnPercent: 60, beginPerMille: 0 };

describe.each(roles)("%s begins, %s answers", (...kinds) => {
  test("[SE9] 1,500 messages late, lost and doubled, through ten epochs and more", async () => {
    const { expected, outcomes, epoch } = await compare(kinds, 101, 1_500, rough);
    expect(outcomes).toEqual(expected);
    expect(epoch).toBeGreaterThan(10);
    expect(readCount(outcomes)).toBeGreaterThan(1_300);
  });

  test("[SE9] long one-sided bursts", async () => {
    const road: Road = { ...rough, turnPercent: 1, overtakes: 20 };
    const { expected, outcomes } = await compare(kinds, 102, 800, road);
    expect(outcomes).toEqual(expected);
    expect(readCount(outcomes)).toBeGreaterThan(700);
  });
});

/** Roads of every kind, from perfect to one where much is too late to be read. */
const roads: readonly Road[] = [
  { overtakes: 0, lostPercent: 0, doubledPercent: 0, turnPercent: 50, beginPerMille: 0 },
  { overtakes: 3, lostPercent: 2, doubledPercent: 2, turnPercent: 30, beginPerMille: 0 },
  { overtakes: 10, lostPercent: 10, doubledPercent: 10, turnPercent: 60, beginPerMille: 0 },
  { overtakes: 80, lostPercent: 5, doubledPercent: 5, turnPercent: 80, beginPerMille: 0 },
  { overtakes: 8, lostPercent: 5, doubledPercent: 5, turnPercent: 40, beginPerMille: 20 },
];

describe("[SE9] a soak: more than 10,000 messages read, and none that only one of the two reads", () => {
  const cases = roles.flatMap((kinds) => roads.map((road, index) => ({ kinds, road, seed: 200 + index })));
  test.each(cases)("$kinds.0 begins, road $seed", async ({ kinds, road, seed }) => {
    const { expected, outcomes } = await compare(kinds, seed, 1_300, road);
    expect(outcomes).toEqual(expected);
    expect(readCount(expected)).toBeGreaterThan(1_000);
  });
});
