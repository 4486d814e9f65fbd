import type { Member } from "@lescopains/protocol/entities";
import type { RoleId } from "@lescopains/protocol/ids";
import { ALL_PERMISSIONS, DEFAULT_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import { describe, expect, test } from "vitest";
import { holds, mayGive, membersFor, PERMISSION_GROUPS, withPermission } from "./model.ts";

describe("permissions of a role", () => {
  test("one bit changes and every other stays", () => {
    const before = String(DEFAULT_PERMISSIONS);
    const after = withPermission(before, "kickMembers", true);
    expect(BigInt(after)).toBe(DEFAULT_PERMISSIONS | PERMISSIONS.kickMembers);
    expect(withPermission(after, "kickMembers", false)).toBe(before);
  });

  test("administrator shows as itself, not as every other", () => {
    expect(holds(String(PERMISSIONS.administrator), "kickMembers")).toBe(false);
  });

  test("one gives what one has, and an administrator has all", () => {
    expect(mayGive(String(DEFAULT_PERMISSIONS), "sendMessages")).toBe(true);
    expect(mayGive(String(DEFAULT_PERMISSIONS), "banMembers")).toBe(false);
    expect(mayGive(String(PERMISSIONS.administrator), "banMembers")).toBe(true);
  });

  test("each is listed once, and exists", () => {
    const listed = PERMISSION_GROUPS.flatMap(({ permissions }) => [...permissions]);
    expect(new Set(listed).size).toBe(listed.length);
    for (const permission of listed) expect(ALL_PERMISSIONS & PERMISSIONS[permission]).not.toBe(0n);
  });
});

test("those who have a role come first among those whose name answers", () => {
  const roleId = "role" as RoleId;
  const member = (displayName: string, has: boolean) =>
    ({ user: { displayName, username: displayName }, roleIds: has ? [roleId] : [] }) as unknown as Member;
  const members = [member("Anna", false), member("Zoé", true), member("Bob", false)];
  const names = (typed: string) => membersFor({ id: roleId }, members, typed, 2).map(({ user }) => user.displayName);
  expect(names("")).toEqual(["Zoé", "Anna"]);
  expect(names("BO")).toEqual(["Bob"]);
});
