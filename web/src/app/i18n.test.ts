import { afterEach, describe, expect, test } from "vitest";
import { chooseLanguage, dateFormat, defineWords, filled, plural, setLanguage } from "./i18n.ts";

const words = defineWords("test", {
  en: {
    hello: "Hello",
    greet: filled("Hello {name}, welcome to {place}"),
    members: plural({ one: "{count} member", other: "{count} members" }),
    invited: plural({ one: "{name} invited {count} friend", other: "{name} invited {count} friends" }),
  },
  fr: {
    hello: "Salut",
    greet: filled("Salut {name}, bienvenue dans {place}"),
    members: plural({ one: "{count} membre", other: "{count} membres" }),
    invited: plural({ one: "{name} a invité {count} copain", other: "{name} a invité {count} copains" }),
  },
});

afterEach(() => {
  setLanguage("en");
});

describe("words", () => {
  test("follow the language at once, blanks included", () => {
    setLanguage("en");
    expect(words.value.greet({ name: "Léo", place: "Home" })).toBe("Hello Léo, welcome to Home");
    setLanguage("fr");
    expect(words.value.hello).toBe("Salut");
    expect(words.value.greet({ name: "Léo", place: "Home" })).toBe("Salut Léo, bienvenue dans Home");
  });

  test("count by the rules of the language: nobody is plural in English and singular in French", () => {
    setLanguage("en");
    expect(words.value.members(0)).toBe("0 members");
    expect(words.value.members(1)).toBe("1 member");
    setLanguage("fr");
    expect(words.value.members(0)).toBe("0 membre");
    expect(words.value.members(2)).toBe("2 membres");
    expect(words.value.invited(3, { name: "Ana" })).toBe("Ana a invité 3 copains");
  });

  test("French has a space before its signs that breaks no line, and what people are called stays as it is", () => {
    const asked = defineWords("asked", {
      en: {
        sure: "Sure?",
        left: filled("{name} left: “{why}”"),
        lost: plural({ one: "Lost!", other: "{count} lost!" }),
      },
      fr: {
        sure: "Sûr ?",
        left: filled("{name} est parti : « {why} »"),
        lost: plural({ one: "Perdu !", other: "{count} perdus !" }),
      },
    });
    expect(asked.value.sure).toBe("Sure?");
    setLanguage("fr");
    expect(asked.value.sure).toBe("Sûr\u202f?");
    expect(asked.value.left({ name: "Léo ?", why: "fini !" })).toBe("Léo ? est parti\u202f: «\u202ffini !\u202f»");
    expect(asked.value.lost(2)).toBe("2 perdus\u202f!");
  });

  test("a name that looks like a placeholder or a pattern stays itself", () => {
    setLanguage("en");
    expect(words.value.greet({ name: "$& {place} $1", place: "Home" })).toBe("Hello $& {place} $1, welcome to Home");
  });

  test("words defined after the switch are already in that language", () => {
    setLanguage("fr");
    const late = defineWords("late", { en: { yes: "Yes" }, fr: { yes: "Oui" } });
    expect(late.value.yes).toBe("Oui");
  });
});

describe("language", () => {
  test("is the first of the browser's that we speak, whatever its region, else English", () => {
    expect(chooseLanguage(["de-DE", "fr-CA", "en"])).toBe("fr");
    expect(chooseLanguage(["EN-gb", "fr"])).toBe("en");
    expect(chooseLanguage(["ja"])).toBe("en");
    expect(chooseLanguage([])).toBe("en");
  });

  test("dates are written its way", () => {
    const month = dateFormat({ month: "long", timeZone: "UTC" });
    setLanguage("fr");
    expect(month.value.format(new Date("2026-02-01T00:00:00Z"))).toBe("février");
  });
});
