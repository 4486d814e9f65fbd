import { ALL_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { channelPermissions, type OverwriteBits, serverPermissions } from "./compute.ts";

const { administrator, viewChannel, sendMessages, attachFiles, manageRoles } = PERMISSIONS;
const EVERYONE = "everyone";
const holder = { userId: "u", defaultRoleId: EVERYONE, roleIds: ["a", "b"] };

function overwrites(entries: Record<string, Partial<OverwriteBits>>): Map<string, OverwriteBits> {
  return new Map(
    Object.entries(entries).map(([id, bits]) => [
      id,
      { targetType: id === "u" ? "member" : "role", allow: 0n, deny: 0n, ...bits },
    ]),
  );
}

describe("in the server at large", () => {
  test("[PERM1] the owner has everything, without any role", () => {
    expect(serverPermissions(true, [])).toBe(ALL_PERMISSIONS);
  });
  test("[PERM1] administrator through any role is everything", () => {
    expect(serverPermissions(false, [viewChannel, administrator])).toBe(ALL_PERMISSIONS);
  });
  test("[PERM2] roles add up", () => {
    expect(serverPermissions(false, [viewChannel, sendMessages | attachFiles])).toBe(
      viewChannel | sendMessages | attachFiles,
    );
  });
});

describe("in a channel", () => {
  const base = viewChannel | sendMessages;
  const cases: [string, Record<string, Partial<OverwriteBits>>, bigint][] = [
    ["nothing changes without overwrites", {}, base],
    ["the default role's deny", { [EVERYONE]: { deny: sendMessages } }, viewChannel],
    [
      "a role's allow beats the default role's deny",
      { [EVERYONE]: { deny: sendMessages }, a: { allow: sendMessages } },
      base,
    ],
    ["one role's allow beats another's deny", { a: { deny: sendMessages }, b: { allow: sendMessages } }, base],
    ["the member's deny beats a role's allow", { a: { allow: attachFiles }, u: { deny: attachFiles } }, base],
    ["the member's allow beats a role's deny", { a: { deny: sendMessages }, u: { allow: sendMessages } }, base],
    ["roles one does not have count for nothing", { c: { deny: viewChannel, allow: manageRoles } }, base],
    ["another member's overwrite counts for nothing", { v: { targetType: "member", deny: viewChannel } }, base],
    [
      "a member's overwrite under a role's id counts for nothing",
      { a: { targetType: "member", deny: viewChannel } },
      base,
    ],
    ["administrator cannot be allowed", { u: { allow: administrator } }, base],
    ["without view nothing is left", { u: { deny: viewChannel, allow: manageRoles } }, 0n],
    ["view can be given to one", { [EVERYONE]: { deny: viewChannel }, u: { allow: viewChannel } }, base],
  ];
  test.each(cases)("[PERM2] %s", (_title, entries, expected) => {
    expect(channelPermissions(base, overwrites(entries), holder)).toBe(expected);
  });
  test("[PERM1] administrators are not bound by overwrites", () => {
    const entries = overwrites({ [EVERYONE]: { deny: ALL_PERMISSIONS }, u: { deny: ALL_PERMISSIONS } });
    expect(channelPermissions(ALL_PERMISSIONS, entries, holder)).toBe(ALL_PERMISSIONS);
  });
});

const bits = fc.bigInt({ min: 0n, max: ALL_PERMISSIONS }).map((value) => value & ALL_PERMISSIONS);
const overwrite = fc.record({ allow: bits, deny: bits });

test("[PERM3] whatever the overwrites, someone without view has nothing, and others have no bit from nowhere", () => {
  fc.assert(
    fc.property(bits, overwrite, overwrite, overwrite, overwrite, (base, everyone, a, b, own) => {
      const entries = overwrites({ [EVERYONE]: everyone, a, b, u: own });
      const result = channelPermissions(base, entries, holder);
      if ((base & administrator) !== 0n) return result === ALL_PERMISSIONS;
      const given = base | everyone.allow | a.allow | b.allow | own.allow;
      const isWithin = (result & ~given) === 0n;
      return isWithin && (result === 0n || (result & viewChannel) !== 0n) && (result & administrator) === 0n;
    }),
    { seed: 20_261_101, numRuns: 500 },
  );
});

test("[PERM2] the member's own overwrite has the last word on every bit", () => {
  fc.assert(
    fc.property(bits, overwrite, overwrite, (base, everyone, own) => {
      const plain = base & ~administrator;
      const shown = { allow: own.allow | viewChannel, deny: own.deny & ~viewChannel };
      const result = channelPermissions(plain, overwrites({ [EVERYONE]: everyone, u: shown }), holder);
      const allowed = (result & shown.allow & ~administrator) === (shown.allow & ~administrator);
      return allowed && (result & shown.deny & ~shown.allow) === 0n;
    }),
    { seed: 20_261_102, numRuns: 500 },
  );
});
