import type { Device, Message } from "./device.ts";
import { SeededNumbers } from "./random.ts";

/** How badly messages travel. */
export interface Road {
  /** A message overtakes at most so many. */
  readonly overtakes: number;
  readonly lostPercent: number;
  readonly doubledPercent: number;
  /** How often the other side takes the turn to write: small makes long one-sided bursts. */
  readonly turnPercent: number;
  /** How often one side begins a session anew, in 1,000 steps. */
  readonly beginPerMille: number;
}

/** What became of a delivery: the words, or that it was refused. */
export type Outcome = string;

const refused = "refused";

interface Flying {
  readonly message: Message;
  readonly from: Device;
  readonly to: Device;
}

/** `epoch` of the post-quantum ratchet that a message belongs to. */
type Watch = (message: Message) => void;

/**
 * Two devices write to each other until `deliveries` messages have come in. What is sent, lost, doubled and overtaken follows
 * from the seed alone, whatever becomes of the messages: two pairs of devices that are given the same seed must tell the same.
 */
export async function traffic(
  devices: readonly [Device, Device],
  seed: number,
  deliveries: number,
  road: Road,
  watch: Watch = () => undefined,
): Promise<Outcome[]> {
  const numbers = new SeededNumbers(seed);
  const outcomes: Outcome[] = [];
  const flying: [Flying[], Flying[]] = [[], []];
  await begin(devices[0], devices[1], numbers);
  let writer = 0;
  for (let step = 0; outcomes.length < deliveries; step += 1) {
    if (numbers.chance(road.turnPercent)) writer = 1 - writer;
    const [from, to] = writer === 0 ? devices : [devices[1], devices[0]];
    if (numbers.below(1_000) < road.beginPerMille) await begin(from, to, numbers);
    const queue = flying[writer as 0 | 1];
    const words = `${step}: ${Buffer.from(numbers.bytes(numbers.below(120))).toString("base64")}`;
    // The second side cannot write before it was written to.
    if (from.knows(to.address)) {
      const message = await from.send(to.address, new TextEncoder().encode(words));
      watch(message);
      if (!numbers.chance(road.lostPercent)) queue.push({ message, from, to });
      if (numbers.chance(road.doubledPercent)) queue.push({ message, from, to });
    }
    for (const way of flying) {
      while (way.length > road.overtakes || (way.length > 0 && numbers.chance(45))) {
        const [next] = way.splice(numbers.below(Math.min(way.length, road.overtakes + 1)), 1);
        if (next !== undefined) outcomes.push(await deliver(next));
      }
    }
  }
  return outcomes;
}

async function begin(from: Device, to: Device, numbers: SeededNumbers): Promise<void> {
  await from.begin(to.address, await to.newBundle({ withoutOneTime: numbers.chance(50) }));
}

async function deliver({ message, from, to }: Flying): Promise<Outcome> {
  try {
    return new TextDecoder().decode(await to.receive(from.address, message));
  } catch {
    return refused;
  }
}

/** How many deliveries brought words. */
export function readCount(outcomes: readonly Outcome[]): number {
  return outcomes.filter((outcome) => outcome !== refused).length;
}
