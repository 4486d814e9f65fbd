import type { RoomClaims } from "@lescopains/protocol/sfu/token";
import { expect, test } from "vitest";
import { newJoin, newRoom, startEdge } from "../../../tests/sfu/kit/edge.ts";
import { RoomTokens } from "./room-token.ts";
import { Remembered } from "./remembered.ts";

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

test("[SF21] tokens of a stay that has ended are refused, used or not, until none of them can be good any more", async () => {
  const edge = await startEdge();
  let clockMs = Date.now();
  const tokens = new RoomTokens({ nodeId, keys: edge.keys, now: () => clockMs });
  const [joinId, room] = [newJoin(), newRoom()];
  const signed = (claims: Partial<RoomClaims>) => {
    const iat = Math.floor(clockMs / 1_000);
    return edge.token({ room, iat, exp: iat + 60, ...claims });
  };
  const redeem = async (claims: Partial<RoomClaims>) => tokens.redeem(await signed(claims));
  expect((await redeem({ joinId })).ok).toBe(true);
  tokens.voidStay(joinId);
  tokens.voidStay(joinId);
  expect(await redeem({ joinId })).toMatchObject({ error: { code: "forbidden" } });
  // Signed by a server that had not heard of it yet.
  clockMs += 60_000;
  expect(await redeem({ joinId })).toMatchObject({ error: { code: "forbidden" } });
  // The same person's next stay.
  expect((await redeem({})).ok).toBe(true);
  clockMs += 120_000;
  tokens.voidStay(newJoin());
  expect(tokens.voided({ joinId } as RoomClaims)).toBeUndefined();
});

test("[SF22] of a room that is no more no token is taken, of one that became encrypted none that calls it plain", async () => {
  const edge = await startEdge();
  const tokens = new RoomTokens({ nodeId, keys: edge.keys, now: Date.now });
  const [deleted, encrypted] = [newRoom(), newRoom()];
  tokens.voidRoom(deleted, "all");
  tokens.voidRoom(encrypted, "plain");
  expect(await tokens.redeem(await edge.token({ room: deleted }))).toMatchObject({ error: { code: "forbidden" } });
  expect(await tokens.redeem(await edge.token({ room: encrypted, enc: false }))).toMatchObject({
    error: { code: "token_expired" },
  });
  expect((await tokens.redeem(await edge.token({ room: encrypted }))).ok).toBe(true);
  expect((await tokens.redeem(await edge.token({ enc: false }))).ok).toBe(true);
});

test("[SF2] used tokens are remembered until they have expired, and forgotten then", () => {
  const used = new Remembered();
  expect(used.add("a", 100, 0)).toBe(true);
  expect(used.add("b", 150, 50)).toBe(true);
  expect(used.add("a", 100, 99)).toBe(false);
  expect(used.add("c", 300, 200)).toBe(true);
  expect(used.size).toBe(1);
});
