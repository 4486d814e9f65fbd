import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Probe, startProbe } from "./probe.ts";
import type { ProbeState } from "./probe-state.ts";
import { openWire, PollingWire, until, upgradeWire, type Wire } from "./wire.ts";

/**
 * Plain workerd lets an actor hibernate when it has been left alone for ten seconds. Only asking shows whether it has,
 * and asking starts the ten seconds anew: so the questions are far apart, and all tests sleep at the same time.
 */
const questionsApartMs = 11_000;

let probe: Probe;
beforeAll(async () => {
  probe = await startProbe({ settings: { hibernate: true, autoAnswer: { event: "ping me", answer: "ponged" } } });
});
afterAll(() => probe.stop());

/** Waits until the actor has been constructed again; `ask` must tell the birth it meets. */
async function untilBornAgain(before: string, ask: () => Promise<string>): Promise<void> {
  let birth = before;
  while (birth === before) {
    await new Promise((resolve) => setTimeout(resolve, questionsApartMs));
    birth = await ask();
  }
}

async function dataOf(wire: Wire): Promise<{ birth: string; name: string; rooms: string[]; id: string }> {
  wire.send('421["data"]');
  const frame = await wire.text();
  return JSON.parse(frame.slice(3))[0] as Awaited<ReturnType<typeof dataOf>>;
}

test.concurrent(
  "[IO60] sockets survive hibernation with ids, data, rooms and namespaces; so do upgraded ones",
  { timeout: 90_000 },
  async () => {
    const wire = await openWire(probe.url);
    const id = await wire.connect("/", { name: "sleeper" });
    wire.send('421["join","dormitory"]');
    await wire.next();
    await wire.connect("/other", { name: "sleeper elsewhere" });

    const polling = await PollingWire.open(probe.url);
    await polling.connect({ name: "upgraded" });
    await polling.post('42["join","dormitory"]');
    const upgraded = upgradeWire(probe.url, polling.opening.sid);
    await upgraded.opened();
    upgraded.send("2probe", "5");
    expect(await upgraded.next()).toBe("3probe");

    const client = io(probe.url, { transports: ["websocket"], auth: { name: "official" } });
    await until(() => client.connected);
    const clientId = client.id;

    const { birth } = await dataOf(wire);
    await untilBornAgain(birth, async () => (await dataOf(wire)).birth);

    // Found again by its own message alone.
    expect(await dataOf(wire)).toMatchObject({ id, name: "sleeper", rooms: ["dormitory"] });
    // Found again with all others, by their rooms.
    expect(await probe.broadcast("wake up", "dormitory")).toBe(2);
    expect(await wire.next()).toBe('42["news","wake up"]');
    expect(await upgraded.next()).toBe('42["news","wake up"]');
    const { sockets } = await probe.state();
    expect(sockets.map(({ name, namespace }) => `${name} ${namespace}`).toSorted()).toEqual([
      "official /",
      "sleeper /",
      "sleeper elsewhere /other",
      "upgraded /",
    ]);
    expect(await client.timeout(2_000).emitWithAck("echo", "awake")).toBe("awake");
    expect(client.id).toBe(clientId);

    // What happens after the wake is kept as well.
    wire.send('42["leave","dormitory"]', "41/other,");
    expect(await dataOf(wire)).toMatchObject({ rooms: [] });
    expect(await probe.broadcast("who is left", "dormitory")).toBe(1);
    client.disconnect();
    wire.close();
    upgraded.close();
  },
);

test.concurrent(
  "[IO61] the runtime answers the automatic event without waking the actor, and it counts as a sign of life",
  { timeout: 90_000 },
  async () => {
    const quiet = await startProbe({
      settings: { hibernate: true, autoAnswer: { event: "ping me", answer: "ponged" } },
    });
    try {
      const wire = await openWire(quiet.url);
      await wire.connect();
      const before = await quiet.state();
      let after: ProbeState = before;
      let [askedMs, answeredMs] = [0, 0];
      await untilBornAgain(before.birth, async () => {
        askedMs = Date.now();
        wire.send('42["ping me"]');
        expect(await wire.next()).toBe('42["ponged"]');
        answeredMs = Date.now();
        after = await quiet.state();
        return after.birth;
      });
      // The actor was asleep when the answer was given: it was born after it, for the question that followed.
      expect(after.bornMs).toBeGreaterThanOrEqual(answeredMs);
      expect(after.messages).toBe(0);
      expect(after.sockets[0]?.lastSeenMs).toBeGreaterThanOrEqual(askedMs);
      expect(after.sockets[0]?.lastSeenMs).toBeLessThanOrEqual(answeredMs);
      wire.close();
    } finally {
      await quiet.stop();
    }
  },
);

test.concurrent(
  "[IO62] a socket that closes while the actor sleeps is still said goodbye to",
  { timeout: 90_000 },
  async () => {
    const lonely = await startProbe({ settings: { hibernate: true } });
    try {
      const [leaver, stayer] = [await openWire(lonely.url), await openWire(lonely.url)];
      await leaver.connect("/", { name: "leaver" });
      await stayer.connect("/", { name: "stayer" });
      const { birth } = await dataOf(stayer);
      await untilBornAgain(birth, async () => {
        // Only this close, or the question after it, can have woken the actor.
        if (!leaver.isEnding) leaver.close();
        return (await dataOf(stayer)).birth;
      });
      await until(async () => (await lonely.state()).sockets.length === 1);
      const { sockets } = await lonely.state();
      expect(sockets[0]?.name).toBe("stayer");
      stayer.close();
    } finally {
      await lonely.stop();
    }
  },
);

test.concurrent(
  "[IO63] a ping sent before hibernation is remembered: unanswered it closes, answered it does not",
  { timeout: 90_000 },
  async () => {
    const ward = await startProbe({ settings: { hibernate: true } });
    try {
      const [alive, dead] = [await openWire(ward.url), await openWire(ward.url)];
      await alive.connect("/", { name: "alive" });
      await dead.connect("/", { name: "dead" });
      await ward.sweep(31_000, { pingAfterMs: 30_000, closeAfterMs: 60_000 });
      expect([await alive.next(), await dead.next()]).toEqual(["2", "2"]);
      alive.send("3");
      const { birth } = await dataOf(alive);
      await untilBornAgain(birth, async () => (await ward.state()).birth);
      expect(await ward.sweep(70_000, { pingAfterMs: 30_000, closeAfterMs: 60_000 })).toBe(1);
      expect(await alive.next()).toBe("2");
      await until(() => dead.isEnding);
      const { disconnects } = await ward.state();
      expect(disconnects).toEqual([{ name: "dead", reason: "ping timeout" }]);
      alive.close();
    } finally {
      await ward.stop();
    }
  },
);
