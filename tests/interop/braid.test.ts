import { decodeMessage } from "@lescopains/e2ee/spqr/message";
import { decodePreKeySignalMessage, decodeSignalMessage } from "@lescopains/e2ee/wire/messages";
import { describe, expect, test } from "vitest";
import type { Device, Message } from "./kit/device.ts";
import { pair, say } from "./kit/people.ts";
import type { Kind } from "./kit/people.ts";
import { SeededNumbers } from "./kit/random.ts";

const preKey = 3;

/** What the post-quantum ratchet says beside a message, but for the bytes of the chunk, which are random. */
function stepOf({ type, body }: Message): string {
  const { pqRatchet } = decodeSignalMessage(type === preKey ? decodePreKeySignalMessage(body).message : body);
  const { epoch, index, step } = decodeMessage(pqRatchet);
  return `${epoch}.${index} ${step.type}${"chunk" in step ? ` ${step.index}` : ""}`;
}

interface Way {
  /** How many messages each side writes in a turn, at most. */
  readonly turn: number;
  readonly lostPercent: number;
}

/** The steps of both sides in `turns` turns. Nothing is late, so that every message that arrives must be read. */
async function stepsOf(kinds: readonly [Kind, Kind], seed: number, turns: number, way: Way): Promise<string[]> {
  const numbers = new SeededNumbers(seed);
  const devices = await pair(kinds, seed);
  await devices[0].begin(devices[1].address, await devices[1].newBundle());
  await say(devices[0], devices[1], "hello");
  await say(devices[1], devices[0], "hello");
  const steps: string[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const [from, to] = turn % 2 === 0 ? devices : [devices[1], devices[0]];
    for (let left = 1 + numbers.below(way.turn); left > 0; left -= 1) {
      steps.push(await stepOfNext(from, to, numbers.chance(way.lostPercent)));
    }
  }
  return steps;
}

async function stepOfNext(from: Device, to: Device, isLost: boolean): Promise<string> {
  const words = Uint8Array.of(1, 2, 3);
  const message = await from.send(to.address, words);
  if (!isLost) expect(await to.receive(from.address, message)).toHaveLength(words.length);
  return stepOf(message);
}

const others: readonly (readonly [Kind, Kind])[] = [
  ["engine", "official"],
  ["official", "engine"],
  ["engine", "engine"],
];

describe("[PQ8] the exchange takes the steps that the official library takes with itself, chunk for chunk", () => {
  test.each([
    { name: "in turns", seed: 301, turns: 900, epochs: 10, way: { turn: 1, lostPercent: 0 } },
    { name: "in turns with losses", seed: 302, turns: 600, epochs: 4, way: { turn: 1, lostPercent: 30 } },
    { name: "in bursts with losses", seed: 303, turns: 50, epochs: 5, way: { turn: 36, lostPercent: 15 } },
  ])("$name", async ({ seed, turns, epochs, way }) => {
    const expected = await stepsOf(["official", "official"], seed, turns, way);
    expect(Number.parseInt(expected.at(-1) ?? "", 10)).toBeGreaterThanOrEqual(epochs);
    for (const kinds of others) expect(await stepsOf(kinds, seed, turns, way)).toEqual(expected);
  });
});
