import { shake128 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { receiveSpqr, sendSpqr, type SpqrState, startSpqr, wipeReplaced } from "./ratchet.ts";

/** Randomness that a seed repeats. */
function seeded(seed: number) {
  const source = shake128.create().update(Uint8Array.of(seed >> 24, seed >> 16, seed >> 8, seed));
  return (length: number) => source.xof(length);
}

interface Sent {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
}

/** Two peers and the messages under way to each of them. */
class Network {
  readonly states: [SpqrState, SpqrState];
  readonly underWay: [Sent[], Sent[]] = [[], []];
  readonly delivered: [Sent[], Sent[]] = [[], []];
  readonly random: (length: number) => Uint8Array;

  constructor(seed: number) {
    this.random = seeded(seed);
    const authKey = this.random(32);
    this.states = [startSpqr("initiator", authKey), startSpqr("responder", authKey)];
  }

  send(from: 0 | 1): void {
    const { state, message, key } = sendSpqr(this.states[from], this.random);
    this.states[from] = state;
    this.underWay[from === 0 ? 1 : 0].push({ message, key });
  }

  /** Delivers the message at `position` of those under way, and checks its key. */
  deliver(to: 0 | 1, position: number): void {
    const [sent] = this.underWay[to].splice(position, 1);
    if (sent === undefined) return;
    const { state, key } = receiveSpqr(this.states[to], sent.message);
    expect(equal(key, sent.key)).toBe(true);
    this.states[to] = state;
    this.delivered[to].push(sent);
  }

  get epochs(): number {
    return Math.min(...this.states.map((state) => state.braid.epoch));
  }
}

test("[PQ1] messages one after the other turn the epochs, and both sides have every key", () => {
  const network = new Network(1);
  for (let round = 0; round < 1_000; round++) {
    network.send(0);
    network.deliver(1, 0);
    network.send(1);
    network.deliver(0, 0);
  }
  expect(network.epochs).toBeGreaterThanOrEqual(12);
});

type Event =
  | { readonly do: "send"; readonly peer: 0 | 1; readonly count: number }
  | { readonly do: "deliver"; readonly peer: 0 | 1; readonly count: number; readonly jitter: number }
  | { readonly do: "lose" | "again"; readonly peer: 0 | 1; readonly at: number };

const peer = fc.constantFrom<0 | 1>(0, 1);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("send"), peer, count: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("deliver"),
      peer,
      count: fc.integer({ min: 1, max: 60 }),
      jitter: fc.constantFrom(0, 0, 0, 3, 20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("lose", "again"), peer, at: fc.nat() }),
  },
);

test("[PQ2] over a network that loses, reorders and repeats, every key agrees, and a repeated message is refused", () => {
  let epochs = 0;
  fc.assert(
    fc.property(fc.integer(), fc.array(event, { minLength: 250, maxLength: 350, size: "max" }), (seed, events) => {
      const network = new Network(seed);
      for (const happens of events) {
        const waiting = network.underWay[happens.peer];
        if (happens.do === "send") {
          for (let index = 0; index < happens.count; index++) network.send(happens.peer);
        } else if (happens.do === "deliver") {
          for (let index = 0; index < happens.count; index++) {
            // Keys are kept for one epoch before the one sent in: this network delays less than that.
            const position = (index * 7) % (happens.jitter + 1);
            network.deliver(happens.peer, Math.min(position, waiting.length - 1));
          }
        } else if (happens.do === "lose") {
          waiting.splice(happens.at % (waiting.length + 1), 1 + (happens.at % 5));
        } else {
          repeat(network, happens.peer, happens.at);
        }
      }
      epochs = Math.max(epochs, network.epochs);
    }),
    { seed: 203, numRuns: 8 },
  );
  expect(epochs).toBeGreaterThanOrEqual(4);
});

function repeat(network: Network, to: 0 | 1, at: number): void {
  const { message } = network.delivered[to][at % network.delivered[to].length] ?? {};
  if (message === undefined) return;
  const before = network.states[to];
  expect(codeOf(() => receiveSpqr(before, message))).toMatch(/^(duplicate_message|message_too_old)$/);
}

test("[PQ3] a long burst to one side is as good as its last messages", () => {
  const network = new Network(3);
  for (let turn = 0; turn < 60; turn++) {
    const from = turn % 2 === 0 ? 0 : 1;
    for (let index = 0; index < 400; index++) network.send(from);
    const to = from === 0 ? 1 : 0;
    // All but the last 60 are lost.
    network.underWay[to].splice(0, 340);
    while (network.underWay[to].length > 0) network.deliver(to, 0);
  }
  expect(network.epochs).toBeGreaterThanOrEqual(8);
});

test("[PQ4] a refused message leaves the state as it was", () => {
  const network = new Network(4);
  for (let round = 0; round < 100; round++) {
    network.send(0);
    network.send(1);
    const before = structuredClone(network.states[1]);
    const { message } = network.underWay[1][0]!;
    for (const at of [0, 1, 2, 3, message.length - 1]) {
      const altered = Uint8Array.from(message);
      altered[at]! ^= 0x55;
      codeOf(() => receiveSpqr(network.states[1], altered));
    }
    expect(network.states[1]).toEqual(before);
    network.deliver(1, 0);
    network.deliver(0, 0);
  }
});

test("[PQ5] a key may be 25,000 messages ahead and not more, and 2,000 skipped keys are kept", () => {
  const network = new Network(5);
  for (let index = 0; index < 25_001; index++) network.send(0);
  const messages = network.underWay[1];
  expect(codeOf(() => receiveSpqr(network.states[1], messages[25_000]!.message))).toBe("message_too_far");
  const { state, key } = receiveSpqr(network.states[1], messages[24_999]!.message);
  expect(key).toEqual(messages[24_999]!.key);
  expect(receiveSpqr(state, messages[22_999]!.message).key).toEqual(messages[22_999]!.key);
  expect(codeOf(() => receiveSpqr(state, messages[22_998]!.message))).toBe("message_too_old");
  expect(codeOf(() => receiveSpqr(state, messages[24_999]!.message))).toBe("duplicate_message");
});

test("[PQ6] any bytes are a message or are refused with a code", () => {
  const network = new Network(6);
  for (let round = 0; round < 30; round++) {
    network.send(0);
    network.deliver(1, 0);
    network.send(1);
    network.deliver(0, 0);
  }
  const head = fc.tuple(
    fc.constantFrom(1, 0),
    fc.nat({ max: 3 }),
    fc.nat({ max: 60 }),
    fc.nat({ max: 8 }),
    fc.nat(255),
  );
  const body = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(fc.oneof(fc.constant([]), head), body, (start, rest) => {
      for (const state of network.states) codeOf(() => receiveSpqr(state, Uint8Array.from([...start, ...rest])));
    }),
    { seed: 6, numRuns: 3_000 },
  );
});

test("[PQ7] no other version, no epoch 0 and no index 0: the post-quantum part cannot be talked away", () => {
  const network = new Network(7);
  for (const bytes of [[], [0], [2, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 1], [1, 1, 1, 7], [1, 1, 1, 0, 0]]) {
    expect(codeOf(() => receiveSpqr(network.states[1], Uint8Array.from(bytes)))).toBe("invalid_message");
  }
});

/** The code of the ProtocolError that `action` throws, if it throws one. Anything else it throws fails the test. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.code;
  }
  return undefined;
}

test("[PQ9] secrets that a new state does not share can be overwritten, and it goes on as before", () => {
  const network = new Network(9);
  for (let round = 0; round < 200; round++) {
    for (const from of [0, 1] as const) {
      const to = from === 0 ? 1 : 0;
      const [sender, receiver] = [network.states[from], network.states[to]];
      network.send(from);
      network.deliver(to, 0);
      const kept = structuredClone(network.states);
      wipeReplaced(sender, network.states[from]);
      wipeReplaced(receiver, network.states[to]);
      expect(network.states).toEqual(kept);
      const used = sender.chain.epochs.find(({ epoch }) => epoch === sender.braid.epoch - 1);
      expect(used?.send?.next).toEqual(new Uint8Array(32));
    }
  }
  expect(network.epochs).toBeGreaterThan(2);
});
