import * as v from "valibot";
import { expect, test } from "vitest";
import { ALL_PERMISSIONS, allows, DEFAULT_PERMISSIONS, PERMISSIONS, PermissionString } from "./permissions.ts";

test("[PERM1] every permission has a bit of its own, and all fit a signed BIGINT", () => {
  const bits = Object.values(PERMISSIONS);
  expect(new Set(bits).size).toBe(bits.length);
  for (const bit of bits) expect(bit.toString(2).match(/1/g)).toHaveLength(1);
  expect(ALL_PERMISSIONS).toBeLessThan(2n ** 63n);
});

test("[PERM2] administrator allows everything, and nobody is administrator by default", () => {
  expect(allows(PERMISSIONS.administrator, "manageServer")).toBe(true);
  expect(allows(PERMISSIONS.sendMessages, "manageServer")).toBe(false);
  expect(DEFAULT_PERMISSIONS & PERMISSIONS.administrator).toBe(0n);
  expect(allows(DEFAULT_PERMISSIONS, "manageMessages")).toBe(false);
});

test("[PERM3] permissions on the wire are decimal strings of known bits", () => {
  expect(v.is(PermissionString, ALL_PERMISSIONS.toString())).toBe(true);
  for (const bad of ["", "-1", "01", "1e3", "0x1", "9223372036854775807", " 1", "1 ", 1, null]) {
    expect(v.is(PermissionString, bad), String(bad)).toBe(false);
  }
});
