import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { call, callId, deliver, Device, tell, uuid } from "../testing/call-device.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { maxEarlyOffers, maxMembers, switchAfterMs, wantAfterMs } from "./call-keys.ts";
import type { Member } from "./member.ts";
import { decodeCallMessage, encodeCallMessage } from "./message.ts";
import { commitmentOf, keyContext } from "./schedule.ts";

const random = seededRandom("offers");

function everyoneReads(devices: readonly Device[]): boolean {
  return devices.every((from) => devices.every((to) => to === from || to.reads(from, from.sends)));
}

test("[FR12] who joins gets the next step of each key, at once, and nothing of before", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const before = [ana.sends, ben.sends];
  const carl = new Device(3, 3);
  tell([ana, ben, carl], 3, 0);
  expect([ana.sends.step, ben.sends.step, carl.sends.step]).toEqual([2, 1, 0]);
  expect(ana.sends.epoch).toBe(1);
  const offers = ana.sent.map(({ to }) => to.accountId);
  expect(offers).toEqual([carl.member.accountId]);
  deliver([ana, ben, carl], 0);
  expect(everyoneReads([ana, ben, carl])).toBe(true);
  expect(before.map((key, index) => carl.reads([ana, ben][index]!, key))).toEqual([false, false]);
});

test("[FR13] after a leave a fresh key goes to all who stay, and is used when all have it", () => {
  const [ana, ben, carl] = call(3) as [Device, Device, Device];
  const before = ana.sends;
  tell([ana, ben], 4, 1_000);
  expect(ana.sends).toBe(before);
  expect(ana.keys.wakeAtMs()).toBe(1_000 + switchAfterMs);
  deliver([ana, ben], 1_100);
  expect(ana.encrypted.at(-1)?.atMs).toBe(1_100);
  expect(ana.sends.epoch).toBe(4);
  expect(everyoneReads([ana, ben])).toBe(true);
  expect(carl.reads(ana, ana.sends)).toBe(false);
  expect(ana.decrypts.has(carl.member.joinId)).toBe(false);
});

test("[FR13] a member that does not acknowledge holds the fresh key up for 750 ms, and is offered it once more", () => {
  const [ana, ben] = call(3) as [Device, Device, Device];
  tell([ana], 4, 1_000, [ana, ben]);
  ana.sent.length = 0;
  ana.take(ana.keys.tick(1_749), 1_749);
  expect(ana.sends.epoch).toBe(1);
  ana.take(ana.keys.tick(1_750), 1_750);
  expect(ana.sends.epoch).toBe(4);
  expect(ana.sent.map(({ to, body }) => [to.accountId, decodeCallMessage(body).kind])).toEqual([
    [ben.member.accountId, "offer"],
  ]);
});

test("[FR13] who left first is not given more time by those who leave after them, nor the fresh key by those who join", () => {
  const [ana, ben, carl, dora] = call(4) as [Device, Device, Device, Device];
  tell([ana], 5, 1_000, [ana, ben, carl]);
  const first = ana.sent.splice(0);
  tell([ana], 6, 1_600, [ana, ben]);
  const eve = new Device(9, 9);
  tell([ana], 7, 1_700, [ana, ben, eve]);
  const present = ana.sends;
  ana.take(ana.keys.tick(1_750), 1_750);
  expect(ana.sends).toMatchObject({ epoch: 6, step: 0 });
  for (const reader of [carl, dora]) {
    for (const { body } of first) reader.take(reader.keys.message(ana.member, body, 1_800), 1_800);
    expect(reader.reads(ana, ana.sends)).toBe(false);
  }
  tell([eve], 7, 1_800, [ana, ben, eve]);
  deliver([ana, eve], 1_800);
  expect(eve.reads(ana, ana.sends)).toBe(true);
  expect(eve.reads(ana, present)).toBe(false);
});

test("[FR13] the last one of a call changes its key too", () => {
  const [ana] = call(2) as [Device, Device];
  tell([ana], 3, 5);
  expect(ana.sends.epoch).toBe(3);
  expect(ana.keys.wakeAtMs()).toBe(Number.POSITIVE_INFINITY);
});

test("[FR13] a device that comes back is another member: fresh keys both ways", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const again = new Device(2, 22);
  tell([ana, again], 3, 0);
  deliver([ana, again], 0);
  expect(ana.sends.epoch).toBe(3);
  expect(everyoneReads([ana, again])).toBe(true);
  expect(ben.reads(ana, ana.sends)).toBe(false);
});

test("[FR13] a list that was missed counts as a leave", () => {
  const [ana, ben] = call(2) as [Device, Device];
  tell([ana, ben], 5, 0);
  deliver([ana, ben], 0);
  expect(ana.sends.epoch).toBe(5);
  expect(everyoneReads([ana, ben])).toBe(true);
});

test("[FR14] a list that is not newer changes nothing; one without this stay ends it", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const before = ana.sends;
  expect(ana.keys.roster({ epoch: 2, members: [ben.member, ana.member] }, 0)).toEqual([]);
  expect(ana.keys.roster({ epoch: 1, members: [] }, 0)).toEqual([]);
  const taken = { ...ana.member, accountId: ben.member.accountId };
  tell([ana], 3, 0, [ben]);
  expect(ana.isOver).toBe(true);
  expect(ana.decrypts.size).toBe(0);
  expect(ana.sends).toBe(before);
  expect(ana.keys.roster({ epoch: 4, members: [ana.member, ben.member] }, 0)).toEqual([]);
  expect(ben.keys.roster({ epoch: 3, members: [taken] }, 0).at(-1)).toEqual({ kind: "over" });
  const many = Array.from({ length: maxMembers + 1 }, (_, index) => new Device(index, index).member);
  expect(() => new Device(1, 1).keys.roster({ epoch: 1, members: many }, 0)).toThrow(ProtocolError);
});

test("[FR14] who has a key is who is shown: another list of the same epoch ends the stay", () => {
  const ghost = new Device(66, 66).member;
  const lists = (ana: Device, ben: Device): Member[][] => [
    // Shown no longer, and still with the keys; shown as another; shown, and without a key.
    [ana.member, ben.member],
    [ana.member, ben.member, { ...ghost, deviceId: 2 }],
    [ana.member, ben.member, ghost, new Device(67, 67).member],
  ];
  for (const which of [0, 1, 2]) {
    const [ana, ben] = call(2) as [Device, Device];
    ana.take(ana.keys.roster({ epoch: 3, members: [ana.member, ben.member, ghost] }, 0), 0);
    expect(ana.isOver).toBe(false);
    ana.take(ana.keys.roster({ epoch: 3, members: lists(ana, ben)[which]! }, 0), 0);
    expect(ana.isOver, `list ${which}`).toBe(true);
    expect(ana.decrypts.size).toBe(0);
  }
  const [ana] = call(2) as [Device, Device];
  ana.take(ana.keys.roster({ epoch: 2, members: [] }, 0), 0);
  expect(ana.isOver).toBe(false);
});

test("[FR14] a stay that has left is no member again, whatever a list says: nothing is given to it, and nothing of it is read", () => {
  const [ana, ben, carl] = call(3) as [Device, Device, Device];
  tell([ana], 4, 0, [ana, carl]);
  ana.sent.length = 0;
  tell([ana], 5, 0, [ana, ben, carl]);
  expect(ana.sent.map(({ to }) => to.accountId)).not.toContain(ben.member.accountId);
  // Ben was told of nothing, and gives whatever he is asked for.
  tell([carl], 5, 0, [ana, ben, carl]);
  deliver([ana, ben, carl], 0);
  for (let at = ana.keys.wakeAtMs(); at < 100_000; at = ana.keys.wakeAtMs()) {
    ana.take([...ana.keys.tick(at), ...ana.keys.wanted(ben.member.joinId, at)], at);
    deliver([ana, ben, carl], at);
  }
  expect(ana.reads(ben, ben.sends)).toBe(false);
  expect(ben.reads(ana, ana.sends)).toBe(false);
  // Nor does the name of the stay, lent to another device.
  const other = { ...carl.member, accountId: uuid("a", 9), joinId: ben.member.joinId };
  ana.sent.length = 0;
  ana.take(ana.keys.roster({ epoch: 6, members: [ana.member, other] }, 200_000), 200_000);
  expect(ana.sent.map(({ to }) => to.accountId)).not.toContain(other.accountId);
});

test("[FR15] only the device itself offers its key, of this call, and a newer one is not put out by an older", () => {
  const [ana, ben, carl] = call(3) as [Device, Device, Device];
  const offer = (epoch: number, changes: object = {}) => {
    const secret = random(32);
    const commitment = commitmentOf(keyContext(callId, ben.member, epoch), secret);
    const { joinId } = ben.member;
    return encodeCallMessage({ kind: "offer", callId, joinId, epoch, step: 0, secret, commitment, ...changes });
  };
  const kinds = (from: Device, body: Uint8Array) => ana.keys.message(from.member, body, 0).map(({ kind }) => kind);
  expect(kinds(carl, offer(9))).toEqual([]);
  expect(kinds(ben, offer(9, { callId: carl.member.joinId }))).toEqual([]);
  expect(kinds(ben, offer(9, { commitment: new Uint8Array(32) }))).toEqual([]);
  expect(kinds(ben, offer(9))).toEqual(["decryptWith", "send"]);
  expect(kinds(ben, offer(8))).toEqual([]);
  expect(kinds(ben, Uint8Array.of(1, 2, 3))).toEqual([]);
});

test("[FR15] a device that begins anew in the same stay and epoch is read, and reads, again", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const again = new Device(2, 2);
  tell([again], 2, 0, [ana, ben]);
  deliver([ana, again], 0);
  expect(ana.reads(again, again.sends)).toBe(true);
  expect(again.reads(ana, ana.sends)).toBe(true);
  expect(ana.reads(ben, ben.sends)).toBe(false);
});

test("[FR15] an offer that overtakes the list waits for it; 64 of them do", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const carl = new Device(3, 3);
  tell([carl], 3, 0, [ana, ben, carl]);
  const early = carl.sent.splice(0)[0]!.body;
  expect(ana.keys.message(carl.member, early, 0)).toEqual([]);
  expect(ana.keys.message(ben.member, early, 0)).toEqual([]);
  tell([ana, ben], 3, 0, [ana, ben, carl]);
  expect(ana.reads(carl, carl.sends)).toBe(true);
  const dora = new Device(4, 4);
  tell([dora], 4, 0, [ana, ben, carl, dora]);
  const evicted = dora.sent.splice(0)[0]!.body;
  ana.keys.message(dora.member, evicted, 0);
  for (let index = 0; index < maxEarlyOffers; index++) {
    const noise = new Device(5, 100 + index);
    tell([noise], 1, 0, [noise, ana]);
    ana.keys.message(noise.member, noise.sent[0]!.body, 0);
  }
  tell([ana], 4, 0, [ana, ben, carl, dora]);
  expect(ana.reads(dora, dora.sends)).toBe(false);
});

test("[FR16] a key that did not come is asked for, ever more rarely, five times; the answer is the present step", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const carl = new Device(3, 3);
  tell([ana, ben, carl], 3, 0);
  for (const device of [ana, ben, carl]) device.sent.length = 0;
  const times: number[] = [];
  for (let at = carl.keys.wakeAtMs(); at < 1e9; at = carl.keys.wakeAtMs()) {
    times.push(at);
    carl.take(carl.keys.tick(at), at);
  }
  expect(times).toEqual([2_000, 6_000, 14_000, 30_000, 62_000]);
  expect(carl.sent.map(({ anew }) => anew)).toEqual([...Array(2).fill(false), ...Array(8).fill(true)]);
  deliver([ana, ben, carl], 70_000);
  expect(carl.reads(ana, ana.sends)).toBe(true);
  expect(carl.reads(ben, ben.sends)).toBe(true);
});

test("[FR16] frames without a key ask twice a second at most, and so often they are answered", () => {
  const [ana, ben] = call(2) as [Device, Device];
  const asked = [0, 100, 499, 500, 999, 1_000].filter((at) => ana.keys.wanted(ben.member.joinId, at).length > 0);
  expect(asked).toEqual([0, 500, 1_000]);
  expect(ana.keys.wanted(uuid("b", 77), 0)).toEqual([]);
  const want = { kind: "want", callId, joinId: ana.member.joinId, of: ben.member.joinId } as const;
  const answered = [0, 100, 499, 500].filter((at) => {
    return ben.keys.message(ana.member, encodeCallMessage(want), at).length > 0;
  });
  expect(answered).toEqual([0, 500]);
  const toAnother = encodeCallMessage({ ...want, of: uuid("b", 77) });
  expect(ben.keys.message(ana.member, toAnother, 9_000)).toEqual([]);
});

test("[FR18] what members compare is there when nobody's key is missing, and the same for all", () => {
  const devices = call(4);
  const seen = devices.map(({ keys }) => {
    const { epoch, members } = keys.keyed()!;
    return { epoch, members: members.toSorted((a, b) => (a.joinId < b.joinId ? -1 : 1)) };
  });
  for (const other of seen) expect(other).toEqual(seen[0]);
  tell(devices.slice(0, 3), 5, 0);
  expect(devices[0]!.keys.keyed()).toBeUndefined();
  deliver(devices.slice(0, 3), 0);
  expect(devices[0]!.keys.keyed()?.members.length).toBe(3);
});

/** A storm: people come and go, messages get lost, lists come late or are missed, clocks go on. */
test("[FR17] whatever happens, in the end everyone reads everyone; no newcomer reads what was before, no leaver what is after", () => {
  const change = fc.record({
    who: fc.nat(5),
    lost: fc.nat(3),
    afterMs: fc.nat(900),
    lateFor: fc.option(fc.nat(5), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), fc.infiniteStream(fc.nat(3)), (changes, dice) => {
      let nowMs = 0;
      let epoch = 0;
      let joins = 0;
      const inside: (Device | undefined)[] = [];
      const left: { readonly device: Device; readonly atMs: number }[] = [];
      const told = new Map<Device, number>();
      const wasLate = new Set<Device>();
      const here = () => inside.filter((device) => device !== undefined);
      const tick = (toMs: number) => {
        for (;;) {
          const next = here().toSorted((a, b) => a.keys.wakeAtMs() - b.keys.wakeAtMs())[0];
          const atMs = next?.keys.wakeAtMs() ?? Number.POSITIVE_INFINITY;
          if (next === undefined || atMs > toMs) break;
          next.take(next.keys.tick(atMs), atMs);
        }
        nowMs = toMs;
      };
      const tellAll = (devices: readonly Device[]) => {
        tell(devices, epoch, nowMs, here());
        for (const device of devices) told.set(device, epoch);
      };
      for (const { who, lost, afterMs, lateFor } of changes) {
        epoch += 1;
        const previous = inside[who];
        if (previous === undefined) {
          inside[who] = new Device(who, ++joins);
          // The same device again: what is given to it now it may read.
          left.splice(0, left.length, ...left.filter(({ device }) => device.member.accountId !== uuid("a", who)));
        } else {
          inside[who] = undefined;
          left.push({ device: previous, atMs: nowMs });
        }
        const late = lateFor === undefined ? undefined : inside[lateFor];
        const before = here().map((device) => ({ device, key: device.encrypted.at(-1)?.key }));
        const inTime = here().filter((device) => device !== late || device === inside[who]);
        for (const device of here()) if (!inTime.includes(device)) wasLate.add(device);
        tellAll(inTime);
        const newcomer = inside[who];
        deliver([...here(), ...left.map(({ device }) => device)], nowMs, () => dice.next().value! < lost);
        if (newcomer !== undefined) {
          for (const { device, key } of before) {
            // Who was told late has maybe just given its key to an earlier stay of the same device.
            if (key !== undefined && told.get(device) === epoch && device !== newcomer && !wasLate.has(device)) {
              expect(newcomer.reads(device, key)).toBe(false);
            }
          }
        }
        tick(nowMs + afterMs);
      }
      tellAll(here());
      for (let round = 0; round < 8; round++) {
        deliver(here(), nowMs);
        tick(nowMs + 70_000);
        // Frames that nobody can open ask for their key.
        for (const from of here()) {
          for (const to of here()) {
            if (to === from || to.reads(from, from.sends)) continue;
            to.take(to.keys.wanted(from.member.joinId, nowMs), nowMs);
          }
        }
      }
      expect(everyoneReads(here())).toBe(true);
      const views = new Set(
        here().map(({ keys }) => {
          const view = keys.keyed();
          expect(view).toBeDefined();
          return JSON.stringify([
            view?.epoch,
            view?.members.map((member) => [member.joinId, ...member.commitment]).toSorted(),
          ]);
        }),
      );
      expect(views.size).toBeLessThanOrEqual(1);
      for (const { device, atMs } of left) {
        for (const sender of here()) {
          for (const [index, { key }] of sender.encrypted.entries()) {
            const usedUntilMs = sender.encrypted[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
            if (wasLate.has(sender) ? key === sender.sends : usedUntilMs > atMs + switchAfterMs) {
              expect(device.reads(sender, key)).toBe(false);
            }
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("[FR16] a key is asked for after two seconds", () => {
  const ana = new Device(1, 1);
  tell([ana], 1, 0, [ana, new Device(2, 2)]);
  expect(ana.keys.wakeAtMs()).toBe(wantAfterMs);
});
