import { InviteCreate } from "@lescopains/protocol/rest";
import { expect, test } from "vitest";
import * as v from "valibot";
import { LIFETIMES_S, USES, works } from "./model.ts";

const nowMs = Date.parse("2026-05-01T12:00:00.000Z");

test("an invite works until its end and while it has uses left", () => {
  expect(works({ expiresAt: null, maxUses: null, uses: 99 }, nowMs)).toBe(true);
  expect(works({ expiresAt: "2026-05-01T12:00:01.000Z", maxUses: 2, uses: 1 }, nowMs)).toBe(true);
  expect(works({ expiresAt: "2026-05-01T12:00:00.000Z", maxUses: null, uses: 0 }, nowMs)).toBe(false);
  expect(works({ expiresAt: null, maxUses: 1, uses: 1 }, nowMs)).toBe(false);
});

test("every choice is one that the contract takes", () => {
  for (const expiresIn of Object.values(LIFETIMES_S)) {
    for (const uses of USES) {
      const body = { expiresIn, maxUses: uses === "any" ? null : Number(uses) };
      expect(v.is(InviteCreate, body), JSON.stringify(body)).toBe(true);
    }
  }
});
