import { expect, test } from "vitest";
import { startEdge } from "../../../tests/sfu/kit/edge.ts";
import { RoomTokens } from "./room-token.ts";
import { UsedTokens } from "./used-tokens.ts";

const nodeId = "test-node";

test("[SF19] during a rotation tokens of both keys are good; afterwards those of the old one are not", async () => {
  const edge = await startEdge(["old", "new"]);
  const tokens = new RoomTokens({ nodeId, keys: edge.keys, now: Date.now });
  for (const kid of ["old", "new"]) expect((await tokens.redeem(await edge.token({}, { kid }))).ok).toBe(true);

  const rotated = await startEdge(["old", "new"], ["new"]);
  const after = new RoomTokens({ nodeId, keys: rotated.keys, now: Date.now });
  expect(await after.redeem(await rotated.token({}, { kid: "old" }))).toMatchObject({
    error: { code: "unauthenticated" },
  });
  expect((await after.redeem(await rotated.token({}, { kid: "new" }))).ok).toBe(true);
});

test("[SF20] clocks may differ by 5 s, not more; what was signed before a restart is not taken after it", async () => {
  const edge = await startEdge();
  const token = await edge.token();
  const redeemAt = (startMs: number, nowMs: number) => {
    let clockMs = startMs;
    const tokens = new RoomTokens({ nodeId, keys: edge.keys, now: () => clockMs });
    clockMs = nowMs;
    return tokens.redeem(token);
  };
  const signedMs = Math.floor(Date.now() / 1_000) * 1_000;
  expect((await redeemAt(signedMs - 10_000, signedMs - 4_000)).ok).toBe(true);
  expect((await redeemAt(signedMs - 10_000, signedMs - 8_000)).ok).toBe(false);
  expect((await redeemAt(signedMs - 10_000, signedMs + 63_000)).ok).toBe(true);
  expect(await redeemAt(signedMs - 10_000, signedMs + 67_000)).toMatchObject({ error: { code: "token_expired" } });
  expect((await redeemAt(signedMs + 4_000, signedMs + 4_000)).ok).toBe(true);
  expect(await redeemAt(signedMs + 7_000, signedMs + 7_000)).toMatchObject({ error: { code: "token_expired" } });
});

test("[SF2] used tokens are remembered until they have expired, and forgotten then", () => {
  const used = new UsedTokens();
  expect(used.add("a", 100, 0)).toBe(true);
  expect(used.add("b", 150, 50)).toBe(true);
  expect(used.add("a", 100, 99)).toBe(false);
  expect(used.add("c", 300, 200)).toBe(true);
  expect(used.size).toBe(1);
});
