import type { JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import { PERMISSIONS } from "@lescopains/protocol/permissions";
import type { CloseReason } from "@lescopains/protocol/sfu/room";
import { describe, expect, test } from "vitest";
import { judgeReport, rightsOf, type Seat } from "./seats.ts";

function seat(n: number, more: Partial<Seat> = {}): Seat {
  return {
    joinId: `join ${n}` as JoinId,
    userId: `user ${n}` as UserId,
    sessionId: `session ${n}` as SessionId,
    deviceId: 1,
    since: "",
    muted: false,
    deafened: false,
    camera: false,
    screenSharing: false,
    serverMuted: false,
    serverDeafened: false,
    node: "node",
    wasConnected: true,
    dueMs: null,
    callId: null,
    ringing: null,
    ringingUntil: null,
    ...more,
  };
}

const peer = ({ joinId }: Seat) => ({ joinId });

describe("[VO7] what a node has in its room, beside the places of the channel:", () => {
  test("media that came keeps the place; media that did not come yet has time", () => {
    const [came, waits] = [seat(1, { dueMs: 5, wasConnected: false }), seat(2, { dueMs: 5, wasConnected: false })];
    const judged = judgeReport([came, waits], { node: "node", peers: [peer(came)], gone: [] });
    expect(judged).toEqual({ connected: [came], ended: [], displaced: [], strangers: [] });
  });

  test.each([
    ["left", "left"],
    ["lost", "lost"],
    ["kicked", "lost"],
    ["flood", "lost"],
  ] as const)("whose media went because it was %s has no place any more: %s", (why: CloseReason, reason) => {
    const one = seat(1);
    const judged = judgeReport([one], { node: "node", peers: [], gone: [{ ...peer(one), reason: why }] });
    expect(judged.ended).toEqual([{ seat: one, reason }]);
  });

  test.each(["worker_died", "draining", "encrypted", undefined] as const)(
    "whose media went by %s comes back",
    (why) => {
      const one = seat(1);
      const gone = why === undefined ? [] : [{ ...peer(one), reason: why }];
      expect(judgeReport([one], { node: "node", peers: [], gone }).displaced).toEqual([one]);
    },
  );

  test("another connection of the same device takes over", () => {
    const one = seat(1);
    const judged = judgeReport([one], { node: "node", peers: [], gone: [{ ...peer(one), reason: "replaced" }] });
    expect(judged).toEqual({ connected: [], ended: [], displaced: [], strangers: [] });
  });

  test("who has no place is a stranger: another stay, another node", () => {
    const [one, elsewhere] = [seat(1), seat(2, { node: "another" })];
    const others = [peer(elsewhere), peer(seat(3))];
    expect(judgeReport([one, elsewhere], { node: "node", peers: [peer(one), ...others], gone: [] }).strangers).toEqual(
      others,
    );
  });

  test("a session that gave up one stay and began another is told apart: the old one's media does not stand for the new one's", () => {
    const [before, now] = [seat(1), seat(2, { dueMs: 5, wasConnected: false })];
    const same = { userId: before.userId, sessionId: before.sessionId, deviceId: before.deviceId };
    const began = { ...now, ...same };
    const both = judgeReport([began], { node: "node", peers: [peer(before)], gone: [] });
    expect(both).toEqual({ connected: [], ended: [], displaced: [], strangers: [peer(before)] });
    // Nor does its end.
    const connected = { ...began, dueMs: null };
    const gone = [{ ...peer(before), reason: "left" as const }];
    expect(judgeReport([connected], { node: "node", peers: [peer(connected)], gone }).ended).toEqual([]);
    expect(judgeReport([connected], { node: "node", peers: [], gone }).ended).toEqual([]);
  });

  test("a node that was only out of sight still has its people", () => {
    const lost = seat(1, { node: null, dueMs: 5 });
    expect(judgeReport([lost], { node: "node", peers: [peer(lost)], gone: [] }).connected).toEqual([lost]);
  });

  test("a node that comes back after the room went on elsewhere does not divide it: who is still there is on the way", () => {
    const [late, ahead] = [seat(1, { node: null, dueMs: 5 }), seat(2, { node: "another" })];
    const judged = judgeReport([late, ahead], { node: "node", peers: [peer(late)], gone: [] });
    expect(judged).toEqual({ connected: [], ended: [], displaced: [], strangers: [] });
  });
});

test("[VO11] a moderator's word stands above permissions", () => {
  const bits = PERMISSIONS.speak | PERMISSIONS.shareScreen;
  const [silent, deaf] = [{ serverMuted: true }, { serverDeafened: true }];
  const said = (more: object) => ({ serverMuted: false, serverDeafened: false, ...more });
  expect(rightsOf(bits, said({}))).toEqual(["speak", "screen", "listen"]);
  expect(rightsOf(bits, said(silent))).toEqual(["screen", "listen"]);
  expect(rightsOf(bits, said(deaf))).toEqual(["speak", "screen"]);
  expect(rightsOf(PERMISSIONS.administrator, said({}))).toEqual(["speak", "video", "screen", "listen"]);
  expect(rightsOf(0n, said({ ...silent, ...deaf }))).toEqual([]);
});
