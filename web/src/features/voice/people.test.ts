import type { UserId } from "@lescopains/protocol/ids";
import type { VoiceMember } from "@lescopains/protocol/voice";
import { expect, test } from "vitest";
import type { Remote } from "../../voice/receiving.ts";
import { largeTile, tilesOf, tileWidth, withSelf } from "./people.ts";

const [self, leo] = ["self", "leo"] as UserId[] as [UserId, UserId];

function member(userId: UserId, screenSharing = false): VoiceMember {
  return { userId, joinId: `of-${userId}`, deviceId: 1, screenSharing } as unknown as VoiceMember;
}
function remote(userId: UserId, source: Remote["source"], paused = false): [string, Remote] {
  const producerId = `${userId}-${source}`;
  return [producerId, { producerId, userId, deviceId: 1, source, paused } as unknown as Remote];
}
const nothing = { chosen: null, dismissed: new Set<string>(), speakerId: null };

test("[VC51] screens come first, then people; what is paused is not shown", () => {
  const tiles = tilesOf(
    [member(self), member(leo, true)],
    new Map([remote(leo, "camera", true), remote(leo, "screen")]),
    self,
  );
  expect(tiles.map(({ key, producerId }) => [key, producerId])).toEqual([
    ["of-leo screen", "leo-screen"],
    ["self", undefined],
    ["of-leo", undefined],
  ]);
});

test("[VC51] one's own tile stands from the first moment, and is the same when one is in", () => {
  const flags = { muted: true, deafened: false, camera: false, screenSharing: false };
  const coming = withSelf([member(leo)], self, flags);
  expect(coming.map(({ userId, muted }) => [userId, muted])).toEqual([
    [leo, undefined],
    [self, true],
  ]);
  const there = withSelf([member(leo), member(self)], self, flags);
  const keys = [coming, there].map((members) => tilesOf(members, new Map(), self).map(({ key }) => key));
  expect(keys[0]).toEqual(keys[1]);
});

test("[VC51] a screen becomes large by itself, unless it was made small; one's own never does", () => {
  const tiles = tilesOf([member(self, true), member(leo, true)], new Map([remote(leo, "screen")]), self);
  expect(largeTile(tiles, nothing, self)?.key).toBe("of-leo screen");
  const small = { ...nothing, dismissed: new Set(["of-leo screen"]) };
  expect(largeTile(tiles, small, self)).toBeUndefined();
  expect(largeTile(tiles, { ...small, speakerId: leo }, self)?.key).toBe("of-leo");
  expect(largeTile(tiles, { ...nothing, chosen: "self" }, self)?.key).toBe("self");
});

test("[VC51] tiles are as large as fits, whatever shape the stage has", () => {
  expect(tileWidth(1, 1600, 900, 8)).toBe(1600);
  expect(tileWidth(2, 1608, 500, 8)).toBe(800);
  expect(tileWidth(2, 400, 800, 8)).toBe(400);
  // Two above one, rather than three below each other.
  expect(tileWidth(3, 704, 664, 8)).toBe(348);
  const four = tileWidth(4, 1000, 600, 8);
  expect(Math.floor(1000 / four) * Math.floor(600 / ((four * 9) / 16))).toBeGreaterThanOrEqual(4);
});
