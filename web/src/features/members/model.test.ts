import type { Member, Status } from "@lescopains/protocol/entities";
import { expect, test } from "vitest";
import { groupMembers } from "./model.ts";

function member(displayName: string, status: Status): Member {
  return {
    user: { id: displayName, username: displayName, displayName },
    roleIds: [],
    joinedAt: "2026-01-01T00:00:00.000Z",
    status,
  } as unknown as Member;
}

const collator = new Intl.Collator("fr", { sensitivity: "base" });

test("who is here stands before who is away, by name, accents aside", () => {
  const groups = groupMembers(
    [member("zoé", "online"), member("Émile", "dnd"), member("anna", "offline"), member("Eric", "idle")],
    collator,
  );
  expect(groups.map(({ kind, members }) => [kind, members.map(({ user }) => user.displayName)])).toEqual([
    ["here", ["Émile", "Eric", "zoé"]],
    ["away", ["anna"]],
  ]);
});

test("an empty group has no heading", () => {
  expect(groupMembers([member("a", "offline")], collator).map(({ kind }) => kind)).toEqual(["away"]);
  expect(groupMembers([], collator)).toEqual([]);
});
