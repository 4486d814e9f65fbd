import { expect, test } from "vitest";
import { createQualityMeter, gradeOf } from "./quality.ts";

function report(...stats: readonly object[]): RTCStatsReport {
  return new Map(stats.map((stat, index) => [String(index), stat]));
}
function inbound(timestamp: number, packetsReceived: number, packetsLost: number, bytesReceived: number) {
  return {
    id: "in",
    type: "inbound-rtp",
    trackIdentifier: "t",
    timestamp,
    packetsReceived,
    packetsLost,
    bytesReceived,
  };
}

test("[VC24] loss and bitrate are of the time since the last look", () => {
  const meter = createQualityMeter();
  const tracks = new Map([["t", "producer"]]);
  meter([report(inbound(0, 1_000, 500, 0))], tracks);
  const { loss, receivedKbps, tracks: each } = meter([report(inbound(2_000, 1_090, 510, 10_000))], tracks);
  expect([loss, receivedKbps]).toEqual([0.1, 40]);
  expect(each.get("producer")).toEqual({ loss: 0.1, kbps: 40 });
});

test("[VC24] packets that come late are not lost, and a round trip is the longest of the paths in use", () => {
  const meter = createQualityMeter();
  meter([report(inbound(0, 100, 10, 0))], new Map());
  const pair = (currentRoundTripTime: number, state = "succeeded") => ({
    id: `pair-${currentRoundTripTime}`,
    type: "candidate-pair",
    state,
    nominated: true,
    currentRoundTripTime,
  });
  const { loss, rttMs } = meter(
    [report(inbound(1_000, 110, 5, 0), pair(0.02), pair(0.03), pair(9, "failed"))],
    new Map(),
  );
  expect([loss, rttMs]).toEqual([0, 30]);
});

test("[VC24] what hurts is poor", () => {
  expect(gradeOf({ rttMs: 20, loss: 0 })).toBe("good");
  expect(gradeOf({ rttMs: 300, loss: 0 })).toBe("fair");
  expect(gradeOf({ rttMs: undefined, loss: 0.2 })).toBe("poor");
});
