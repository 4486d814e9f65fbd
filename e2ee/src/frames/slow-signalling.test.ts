import fc from "fast-check";
import { expect, test } from "vitest";
import { call, Device } from "../testing/call-device.ts";

/** Media of a call while signalling is slow: the longest time that somebody's frames were not readable for somebody, in ms. */
function unreadable(delay: () => number, count: number, change: "join" | "leave" | "both"): number {
  const [frameMs, mediaMs, changeMs, endMs] = [20, 50, 100, 2_500];
  const devices = call(count);
  const pending: { readonly atMs: number; readonly run: (nowMs: number) => void }[] = [];
  const later = (atMs: number, run: (nowMs: number) => void): void => void pending.push({ atMs, run });
  /** Sessions keep the order of what one sends to another. */
  const lastMs = new Map<string, number>();
  const send = (from: Device, nowMs: number): void => {
    for (const { to, body } of from.sent.splice(0)) {
      const way = `${from.member.joinId} ${to.accountId}`;
      const atMs = Math.max(lastMs.get(way) ?? 0, nowMs + delay());
      lastMs.set(way, atMs);
      const reader = devices.find(({ member }) => member.accountId === to.accountId);
      if (reader !== undefined) later(atMs, (ms) => reader.take(reader.keys.message(from.member, body, ms), ms));
    }
  };
  const leaver = change === "join" ? undefined : devices[count - 1];
  const newcomer = change === "leave" ? undefined : new Device(50, 50);
  const inside = new Set(devices);
  let epoch = count;
  const happens = (): void => {
    epoch += 1;
    const list = { epoch, members: [...inside].map(({ member }) => member) };
    for (const one of inside) later(changeMs + delay() / 2, (ms) => one.take(one.keys.roster(list, ms), ms));
  };
  if (leaver !== undefined) {
    inside.delete(leaver);
    happens();
  }
  if (newcomer !== undefined) {
    inside.add(newcomer);
    devices.push(newcomer);
    happens();
  }
  // A newcomer's media has to connect first: four times there and back.
  const flowsMs = (one: Device): number => (one === newcomer ? changeMs + 4 * 2 * 100 : 0);
  const lost = new Map<string, number>();
  for (let nowMs = 0; nowMs < endMs; nowMs += 10) {
    for (const due of pending.filter(({ atMs }) => atMs <= nowMs)) {
      pending.splice(pending.indexOf(due), 1);
      due.run(nowMs);
    }
    for (const one of devices) {
      if (one.keys.wakeAtMs() <= nowMs) one.take(one.keys.tick(nowMs), nowMs);
      send(one, nowMs);
    }
    if (nowMs % frameMs !== 0) continue;
    for (const from of inside) {
      for (const to of inside) {
        if (from === to || nowMs < Math.max(flowsMs(from), flowsMs(to))) continue;
        const key = from.sends;
        const pair = `${from.member.joinId} ${to.member.joinId}`;
        later(nowMs + mediaMs, () => {
          if (!to.reads(from, key)) lost.set(pair, (lost.get(pair) ?? 0) + frameMs);
        });
      }
    }
  }
  return Math.max(0, ...lost.values());
}

test("[FR23] while keys take 200 ms from device to device nothing is lost by a join or a leave; while they take up to a second, a leave loses at most 250 ms of media", () => {
  for (const change of ["join", "leave", "both"] as const)
    expect(
      unreadable(() => 200, 5, change),
      change,
    ).toBe(0);
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(950)), (delays) => {
      expect(unreadable(() => delays.next().value!, 4, "leave")).toBeLessThanOrEqual(250);
    }),
    { numRuns: 20 },
  );
});
