import { afterEach, expect, test } from "vitest";
import { setLanguage } from "../../app/i18n.ts";
import { detailsText } from "./log-details.ts";

afterEach(() => setLanguage("en"));

test("[OPW5] what an operator changed is told in words, and what a later version wrote is left out", () => {
  const changed = { name: "Chez nous", registration: "invite", serverInvites: false };
  expect(detailsText(changed)).toEqual([
    "name: Chez nous",
    "accounts for: Who has an invite",
    "invites to servers don't count",
  ]);
  expect(detailsText({ maxUses: 1, expiresAt: null })).toEqual(["1 person", "for good"]);
  expect(detailsText({ maxUses: null, expiresAt: "2026-11-27T11:04:09.99+00:00" })).toEqual([
    "Any number",
    expect.stringMatching(/^until .*27.*2026/),
  ]);
  expect([...detailsText({ minutes: 0 }), ...detailsText({ minutes: 60 })]).toEqual(["at once", "within 60 minutes"]);
  expect(detailsText({ registration: "by post", maxUses: "many", toString: 1, later: true })).toEqual([]);
  setLanguage("fr");
  expect(detailsText({ serverInvites: true, minutes: 1 })).toEqual([
    "les invitations aux serveurs comptent",
    "en 1 minute",
  ]);
});
