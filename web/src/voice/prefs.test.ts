import type { UserId } from "@lescopains/protocol/ids";
import { expect, test } from "vitest";
import { createPrefs, type PrefStore } from "./prefs.ts";

function memory(): PrefStore & { readonly texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    get: (key) => texts.get(key) ?? null,
    set: (key, value) => void (value === null ? texts.delete(key) : texts.set(key, value)),
  };
}
const leo = "leo" as UserId;

test("[VC2] choices and each person's volume are remembered", () => {
  const store = memory();
  const book = createPrefs(store);
  expect(book.prefs.value.activation).toBe("voice");
  book.change({ activation: "push", pushKey: "F8" });
  book.setVolume(leo, 150);
  const next = createPrefs(store);
  expect(next.prefs.value).toMatchObject({ activation: "push", pushKey: "F8" });
  expect(next.volumeOf(leo).value).toBe(150);
  next.setVolume(leo, 100);
  expect([...store.texts.keys()]).toEqual(["voice"]);
});

test("[VC2] what is not ours in storage is not there, and one wrong value spoils no other", () => {
  const store = memory();
  store.set("voice", "{");
  store.set("voice-volumes", JSON.stringify({ leo: 9_000 }));
  expect(createPrefs(store).prefs.value.thresholdDb).toBe(-50);
  expect(createPrefs(store).volumeOf(leo).value).toBe(100);
  store.set("voice", JSON.stringify({ thresholdDb: 12, activation: "shout", volume: 40 }));
  expect(createPrefs(store).prefs.value).toMatchObject({ thresholdDb: -50, activation: "voice", volume: 40 });
});

test("[VC2] of very many people the volumes set longest ago are forgotten", () => {
  const store = memory();
  const book = createPrefs(store);
  for (let index = 0; index < 250; index += 1) book.setVolume(`user-${index}` as UserId, 50);
  const next = createPrefs(store);
  expect(next.volumeOf("user-0" as UserId).value).toBe(100);
  expect(next.volumeOf("user-249" as UserId).value).toBe(50);
});
