import type { DirectChannel, User } from "@lescopains/protocol/entities";
import { afterEach, describe, expect, test } from "vitest";
import { directName, pairWith } from "./direct.ts";
import { setLanguage } from "./i18n.ts";

const SELF = "self" as User["id"];

function user(name: string): User {
  return { id: name.toLowerCase(), username: name.toLowerCase(), displayName: name } as User;
}

function channel(type: "dm" | "group_dm", ...names: readonly string[]): DirectChannel {
  return {
    id: names.join(),
    type,
    participants: [{ ...user("Self"), id: SELF }, ...names.map(user)],
  } as unknown as DirectChannel;
}

afterEach(() => setLanguage("en"));

describe("a direct conversation's name", () => {
  test("is the other's, or says that the account is gone", () => {
    expect(directName(channel("dm", "Léo"), SELF)).toBe("Léo");
    expect(directName(channel("dm"), SELF)).toBe("deleted account");
  });

  test("of a group lists its people the way the language does, and counts those beyond", () => {
    setLanguage("fr");
    expect(directName(channel("group_dm", "Léo", "Ana"), SELF)).toBe("Léo et Ana");
    expect(directName(channel("group_dm", "A", "B", "C", "D"), SELF)).toBe("A, B, C et D");
    expect(directName(channel("group_dm", "A", "B", "C", "D", "E"), SELF)).toBe("A, B, C et 2 autres");
    expect(directName(channel("group_dm"), SELF)).toBe("Toi seulement");
  });
});

test("a group with a person is not the conversation of two with them", () => {
  const pair = channel("dm", "Léo");
  const dms = [channel("group_dm", "Léo", "Ana"), pair];
  expect(pairWith(dms, user("Léo").id)).toBe(pair);
  expect(pairWith(dms, user("Ana").id)).toBeUndefined();
});
