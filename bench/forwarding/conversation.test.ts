import { RtpHeader, RtpPacket } from "werift";
import { expect, test } from "vitest";
import { Conversation } from "./conversation.ts";
import type { OpenRoom, TalkingEnd } from "./sfu.ts";

type Listen = (packet: RtpPacket) => void;
type Forward = (packet: RtpPacket, listen: Listen) => void;

/** A room without a network: what its speaker sends goes to each listener as `forward` says. */
function room(listeners: number, forward: Forward, isConnected = true): OpenRoom & { readonly reports: string[] } {
  const reports: string[] = [];
  const listens: Listen[] = [];
  const end = (name: string): TalkingEnd => ({
    isConnected,
    onRtp: (listener) => listens.push(listener),
    sendRtp: (header, payload) => {
      for (const listen of listens) forward(new RtpPacket(new RtpHeader(header), Buffer.from(payload)), listen);
    },
    sendRtcp: ([packet]) => reports.push(`${name} ${packet?.type}`),
    close: () => Promise.resolve(),
  });
  return { speaker: end("speaker"), listeners: Array.from({ length: listeners }, () => end("listener")), reports };
}

const faithful: Forward = (packet, listen) => listen(packet);
const every = (nth: number, then: Forward): Forward => {
  let count = 0;
  return (packet, listen) => ((count += 1) % nth === 0 ? then(packet, listen) : listen(packet));
};
const hundredPackets = 2_000;

test("[BF1] what every listener heard once and whole is counted, in each run anew", async () => {
  const talk = new Conversation([room(2, faithful), room(3, faithful)]);
  for (let run = 0; run < 2; run += 1) {
    const { delaysMs, ...heard } = await talk.run(hundredPackets / 10);
    expect(heard).toEqual({ sent: 20, received: 50, lost: 0, doubled: 0, damaged: 0 });
    expect(delaysMs).toHaveLength(50);
  }
});

test("[BF2] what does not come, comes twice, is changed, or was said elsewhere is counted as that", async () => {
  const lossy = every(4, () => undefined);
  const doubling = every(5, (packet, listen) => {
    listen(packet);
    listen(packet);
  });
  const damaging = every(10, ({ header, payload }, listen) => {
    payload[79] = (payload[79] ?? 0) ^ 1;
    listen(new RtpPacket(header, payload));
  });
  const cutting = every(20, ({ header, payload }, listen) => listen(new RtpPacket(header, payload.subarray(0, 79))));
  const results = await Promise.all(
    [lossy, doubling, damaging, cutting].map((forward) => new Conversation([room(1, forward)]).run(hundredPackets / 5)),
  );
  expect(results.map(({ received, lost, doubled, damaged }) => [received, lost, doubled, damaged])).toEqual([
    [15, 5, 0, 0],
    [20, 0, 4, 0],
    [18, 2, 0, 2],
    [19, 1, 0, 1],
  ]);
  const other = room(1, faithful);
  const mixed = new Conversation([
    { ...other, listeners: [] },
    { speaker: room(1, faithful).speaker, listeners: other.listeners },
  ]);
  expect(await mixed.run(hundredPackets / 10)).toMatchObject({ received: 0, lost: 10, damaged: 10 });
});

test("[BF3] both ends report on what they sent and heard", async () => {
  const small = room(2, faithful);
  await new Conversation([small]).run(hundredPackets / 10);
  // Sender reports (200) and, of those who heard something, receiver reports (201).
  expect(small.reports.toSorted()).toEqual(["listener 201", "listener 201", "speaker 200"]);
});

test("[BF6] a run in which somebody lost their connection measures nothing", async () => {
  const talk = new Conversation([room(2, faithful), room(1, faithful, false)]);
  await expect(talk.run(hundredPackets / 10)).rejects.toThrow("2 of 5 people have lost their connection");
});
