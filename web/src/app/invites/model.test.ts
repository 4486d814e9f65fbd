import { InstanceInviteCreate } from "@lescopains/protocol/operator";
import { InviteCreate } from "@lescopains/protocol/rest";
import { expect, test } from "vitest";
import * as v from "valibot";
import { inviteBody, LIFETIMES, USES, works } from "./model.ts";

const nowMs = Date.parse("2026-05-01T12:00:00.000Z");

test("an invite works until its end and while it has uses left", () => {
  expect(works({ expiresAt: null, maxUses: null, uses: 99 }, nowMs)).toBe(true);
  expect(works({ expiresAt: "2026-05-01T12:00:01.000Z", maxUses: 2, uses: 1 }, nowMs)).toBe(true);
  expect(works({ expiresAt: "2026-05-01T12:00:00.000Z", maxUses: null, uses: 0 }, nowMs)).toBe(false);
  expect(works({ expiresAt: null, maxUses: 1, uses: 1 }, nowMs)).toBe(false);
});

test("[OPW1] every choice is one that the contract takes, for a server and for the whole place", () => {
  for (const lifetime of LIFETIMES) {
    for (const uses of USES) {
      const body = inviteBody(lifetime, uses);
      expect(v.is(InviteCreate, body), JSON.stringify(body)).toBe(true);
      expect(v.is(InstanceInviteCreate, body), JSON.stringify(body)).toBe(true);
    }
  }
});
