import type { DirectChannel, User } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { describe, expect, test } from "vitest";
import type { DmMessage, DmState } from "../../keys/port.ts";
import { contactsIn, dmRows, matching, previewOf } from "./model.ts";

const SELF = "self" as UserId;
const LEO = "leo" as UserId;

function channel(id: string, createdAt: string): DirectChannel {
  return { id, createdAt, type: "dm", participants: [] } as unknown as DirectChannel;
}

function said(content: string, more: Partial<DmMessage> = {}): DmMessage {
  return {
    authorId: LEO,
    content,
    deleted: false,
    unreadable: null,
    createdAt: "2026-03-01T10:00:00.000Z",
    ...more,
  } as DmMessage;
}

function user(displayName: string, username = displayName.toLowerCase()): User {
  return { id: displayName, username, displayName } as unknown as User;
}

const collator = new Intl.Collator("fr", { sensitivity: "base" });

test("the conversation with the latest word stands first; one without words counts from its opening", () => {
  const channels = [
    channel("old", "2026-01-01T00:00:00.000Z"),
    channel("opened", "2026-02-01T00:00:00.000Z"),
    channel("talked", "2025-01-01T00:00:00.000Z"),
  ];
  const states = new Map([["talked", { last: said("hier") } as DmState]]);
  const rows = dmRows(channels, (id: ChannelId) => states.get(id));
  expect(rows.map((row) => row.channel.id)).toEqual(["talked", "opened", "old"]);
});

describe("a preview", () => {
  test("is one line of plain words, spoilers hidden", () => {
    expect(previewOf(said("**Salut** `toi`\n> et\n||non||"), SELF)).toMatchObject({
      own: false,
      text: "Salut toi et ▒▒▒",
    });
    expect(previewOf(said("oui", { authorId: SELF }), SELF)).toMatchObject({ own: true, text: "oui" });
  });

  test("says when there is nothing to show", () => {
    expect(previewOf(null, SELF).kind).toBe("none");
    expect(previewOf(said("x", { deleted: true }), SELF).kind).toBe("deleted");
    const unreadable = { kind: "undecryptable", reason: "no_session", state: "asking" } as const;
    expect(previewOf(said("", { unreadable }), SELF).kind).toBe("unreadable");
  });

  test("of a call that nobody answered says who called", () => {
    expect(previewOf(said("", { missedCall: true }), SELF)).toEqual({ kind: "missedCall", own: false });
    expect(previewOf(said("", { missedCall: true, authorId: SELF }), SELF)).toEqual({ kind: "missedCall", own: true });
  });
});

test("a person of two places is one contact, and nobody writes to themselves", () => {
  const lists = [[user("Ana"), { ...user("Moi"), id: SELF }], [user("Ana")]];
  expect(contactsIn(lists, SELF).map(({ displayName }) => displayName)).toEqual(["Ana"]);
});

test("people are found by either name, accents aside, the nearest first", () => {
  const people = [user("Élodie", "elo77"), user("Léo"), user("Noé", "leon")];
  const found = (query: string): string[] => matching(people, query, collator).map(({ displayName }) => displayName);
  expect(found("")).toEqual(["Élodie", "Léo", "Noé"]);
  expect(found("leo")).toEqual(["Léo", "Noé"]);
  expect(found("@elo")[0]).toBe("Élodie");
  expect(found("zzz")).toEqual([]);
});
