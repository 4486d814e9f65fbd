import { nextChain } from "@lescopains/e2ee/session/chain";
import { encodeRecord } from "@lescopains/e2ee/session/record-codec";
import { sendSpqr } from "@lescopains/e2ee/spqr/ratchet";
import type { Address } from "@lescopains/e2ee/session/address";
import { describe, expect, test } from "vitest";
import type { Message } from "./kit/device.ts";
import { EngineDevice } from "./kit/engine.ts";
import { acquainted, roles, say, text } from "./kit/people.ts";
import type { Kind } from "./kit/people.ts";

/** As if `count` messages had been sent that never arrive, without the cost of encrypting them. */
function loseMessages(from: EngineDevice, to: Address, count: number): void {
  const record = from.record(to);
  const state = record?.current;
  if (record === undefined || state === undefined) throw new Error("no session");
  let { spqr } = state;
  let { chain } = state.sending;
  for (let index = 0; index < count; index += 1) {
    spqr = sendSpqr(spqr, from.platform.random).state;
    chain = nextChain(chain);
  }
  const current = { ...state, spqr, sending: { ...state.sending, chain } };
  from.records.set(`${to.accountId}.${to.deviceId}`, encodeRecord({ ...record, current }));
}

const receivers: readonly Kind[] = ["official", "engine"];

describe.each(receivers)("read by %s", (receiver) => {
  test("[SE12] a message may be 25,000 ahead, not more", async () => {
    const [a, b] = await acquainted(["engine", receiver], 71);
    if (!(a instanceof EngineDevice)) throw new Error("no engine");
    // The post-quantum ratchet counts its first message as 1, so it is the one that meets the limit first.
    loseMessages(a, b.address, 24_999);
    const farthest = await a.send(b.address, text("25,000 ahead"));
    const tooFar = await a.send(b.address, text("25,001 ahead"));
    await expect(b.receive(a.address, tooFar)).rejects.toThrow();
    expect(await b.receive(a.address, farthest)).toEqual(text("25,000 ahead"));
    expect(await b.receive(a.address, tooFar)).toEqual(text("25,001 ahead"));
    await say(b, a, "goes on");
    await say(a, b, "goes on");
  });
});

describe.each(roles)("%s begins, %s answers", (...kinds) => {
  test("[SE12] 2,000 skipped messages are kept, the oldest are forgotten", async () => {
    const [a, b] = await acquainted(kinds, 72);
    const messages: Message[] = [];
    for (let index = 0; index <= 2_010; index += 1) messages.push(await a.send(b.address, text(`${index}`)));
    const read = (index: number) => b.receive(a.address, messages[index] ?? expect.fail());
    expect(await read(2_010)).toEqual(text("2010"));
    for (const index of [0, 5, 9]) await expect(read(index)).rejects.toThrow();
    for (const index of [10, 11, 1_000, 2_009]) expect(await read(index)).toEqual(text(`${index}`));
    for (const index of [10, 11, 1_000, 2_009]) await expect(read(index)).rejects.toThrow();
  });

  test("[SE12] five receiving chains are kept: a message is lost after six turns", async () => {
    const [a, b] = await acquainted(kinds, 73);
    const late: Message[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      late.push(await a.send(b.address, text(`late ${turn}`)));
      await say(a, b, `a${turn}`);
      await say(b, a, `b${turn}`);
    }
    const outcomes: boolean[] = [];
    for (const [turn, message] of late.entries()) {
      outcomes.push(
        await b.receive(a.address, message).then(
          (plaintext) => new TextDecoder().decode(plaintext) === `late ${turn}`,
          () => false,
        ),
      );
    }
    expect(outcomes).toEqual([false, false, false, true, true, true, true, true]);
  });
});
