import type { UserId } from "@lescopains/protocol/ids";
import type { Envelope } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Mailbox } from "./mailbox.ts";

const envelope = (id: number): Envelope => ({
  id,
  fromUserId: "01890a5d-ac96-774b-bcce-b302099a8057" as UserId,
  fromDeviceId: 1,
  type: 2,
  body: "AA==",
  createdAt: "2026-11-25T00:00:00.000Z",
});

/** A queue and a socket in front of it; a read takes a turn, as PostgreSQL does. */
function desk() {
  const queue: number[] = [];
  const got: number[] = [];
  const socket = {};
  let reads = 0;
  const mailbox = new Mailbox<object>(
    async (_, after, limit) => {
      reads += 1;
      const page = queue.filter((id) => id > after).slice(0, limit);
      await Promise.resolve();
      return page.map(envelope);
    },
    (_, envelopes) => got.push(...envelopes.map(({ id }) => id)),
  );
  const keep = (upTo: number): Promise<void> => {
    queue.splice(0, queue.findLastIndex((id) => id <= upTo) + 1);
    return mailbox.acknowledged(socket, upTo);
  };
  return { queue, got, socket, mailbox, keep, reads: () => reads };
}

test("[KEY31] a socket gets a page, and the next one when it has acknowledged", async () => {
  const { queue, got, socket, mailbox, keep } = desk();
  queue.push(...Array.from({ length: 250 }, (_, n) => n + 1));
  await mailbox.serve(socket);
  await mailbox.serve(socket);
  expect(got).toHaveLength(LIMITS.envelopesPage);
  await keep(60);
  expect(got).toHaveLength(160);
  await keep(160);
  await keep(250);
  expect(got).toEqual(Array.from({ length: 250 }, (_, n) => n + 1));
});

test("[KEY31] whatever comes while the queue is read is read behind it, each envelope once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constant("come"), fc.constant("keep"), fc.constant("turn"))),
      async (steps) => {
        const { queue, got, socket, mailbox, keep } = desk();
        const under: Promise<void>[] = [];
        let next = 1;
        for (const step of steps) {
          if (step === "come") {
            queue.push(next);
            next += 1;
            under.push(mailbox.serve(socket));
          } else if (step === "keep") under.push(keep(got.at(-1) ?? 0));
          else await Promise.resolve();
        }
        await Promise.all(under);
        expect(got).toEqual(Array.from({ length: next - 1 }, (_, n) => n + 1));
      },
    ),
    { seed: 20_261_125 },
  );
});

test("[KEY31] a queue that can't be read is read again the next time", async () => {
  let fails = true;
  const got: number[] = [];
  const mailbox = new Mailbox<object>(
    async () => {
      if (fails) throw new Error("away");
      return [envelope(7)];
    },
    (_, envelopes) => got.push(...envelopes.map(({ id }) => id)),
  );
  const socket = {};
  await expect(mailbox.serve(socket)).rejects.toThrow("away");
  fails = false;
  await mailbox.serve(socket);
  expect(got).toEqual([7]);
});
