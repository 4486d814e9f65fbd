import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Broadcasts } from "./broadcasts.ts";

function event(name: string): AnyDown {
  return { event: "typing", body: { channelId: name as ChannelId, userId: "u" as UserId } };
}
const nameOf = ({ body }: AnyDown): string => (body !== undefined && "channelId" in body ? String(body.channelId) : "");

/** Sockets that note what they are given, and a turn that ends when the test says so. */
function fixture() {
  const heard = new Map<number, string[]>();
  const turns: (() => void)[] = [];
  const broadcasts = new Broadcasts<number>(
    (sockets, one) => {
      for (const socket of sockets) heard.set(socket, [...(heard.get(socket) ?? []), nameOf(one)]);
    },
    () => new Promise((resolve) => turns.push(resolve)),
  );
  const endTurns = async () => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
      turn();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  return { heard, turns, broadcasts, endTurns };
}
const sockets = (count: number) => Array.from({ length: count }, (_, index) => index);

test("[RO6] few sockets are written to at once", () => {
  const { heard, turns, broadcasts } = fixture();
  void broadcasts.send(sockets(40), [event("a")]);
  expect(heard.size).toBe(40);
  expect(turns).toHaveLength(0);
});

test("[RO7] many sockets are written to in slices, and what comes in between waits its turn", async () => {
  const { heard, broadcasts, endTurns } = fixture();
  let isDone = false;
  const all = broadcasts.send(sockets(1_000), [event("a")]).then(() => {
    isDone = true;
  });
  expect(heard.size).toBeLessThan(100);
  const next = broadcasts.send([0], [event("b")]);
  expect(heard.get(0)).toEqual(["a"]);
  expect(isDone).toBe(false);
  await endTurns();
  await Promise.all([all, next]);
  expect(heard.get(0)).toEqual(["a", "b"]);
  expect(heard.size).toBe(1_000);
});

test("[RO7] whatever is sent, each socket hears its events once and in the order they were sent", async () => {
  const job = fc.record({ count: fc.nat(160), events: fc.nat(3) });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 12 }), async (jobs) => {
      const { heard, broadcasts, endTurns } = fixture();
      const expected = new Map<number, string[]>();
      const sent = jobs.map(({ count, events }, index) => {
        const named = Array.from({ length: events }, (_, at) => `${index}.${at}`);
        for (const socket of sockets(count)) {
          if (events > 0) expected.set(socket, [...(expected.get(socket) ?? []), ...named]);
        }
        return broadcasts.send(sockets(count), named.map(event));
      });
      await endTurns();
      await Promise.all(sent);
      expect(heard).toEqual(expected);
    }),
    { seed: 5, numRuns: 100 },
  );
});
