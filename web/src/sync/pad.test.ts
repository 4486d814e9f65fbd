import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { expect, test } from "vitest";
import { KeysError } from "../keys/port.ts";
import { createSealedDrafts } from "./drafts.ts";
import { FakeClock, FakePort, FakeStorage } from "./fakes.ts";
import { createPad } from "./pad.ts";
import { createUnkept } from "./unkept.ts";

const ANA = "018f0000-0000-7000-8000-0000000000aa" as UserId;
const CHANNEL = "018f0000-0000-7000-8000-000000000002" as ChannelId;
const READY = { kind: "ready", deviceId: 1 as DeviceId } as const;
const KEY = new Uint8Array(32).fill(7);

const text = (words: string) => ({ kind: "text", text: words, replyTo: null }) as const;

/** A tab of a browser: the browser is its storage, and the key that its device has. */
function openTab(storage = new FakeStorage(), key = KEY) {
  const [clock, keys] = [new FakeClock(), new FakePort()];
  const kept: string[] = [];
  keys.answer = (name, question: { readonly nonce?: string }) => {
    if (name === "pad:key") return key;
    if (name === "dm:send" && question.nonce !== undefined) kept.push(question.nonce);
    return {};
  };
  const pad = createPad({ selfId: ANA, keys, storage });
  const drafts = createSealedDrafts(pad, clock);
  const unkept = createUnkept(keys, pad, clock);
  return { clock, drafts, kept, keys, pad, storage, unkept };
}

/** A tab whose device never answers to what is written: it is killed before. */
async function killedAfter(storage: FakeStorage, ...nonces: string[]): Promise<void> {
  const { keys, pad, unkept } = openTab(storage);
  await pad.open();
  keys.answer = () => new Promise(() => undefined);
  for (const nonce of nonces) void unkept.send(CHANNEL, nonce, text(`words of ${nonce}`));
}

async function started(tab: ReturnType<typeof openTab>): Promise<void> {
  tab.keys.tell("device", READY);
  await tab.pad.open();
  await expect.poll(() => tab.keys.questions("pad:key").length).toBe(1);
}

test("[DR4] a draft of a direct conversation is kept over reloads, and nowhere unsealed", async () => {
  const first = openTab();
  await first.pad.open();
  first.drafts.set(CHANNEL, "a secr");
  await first.clock.advance(400);
  expect(JSON.stringify([...first.storage.entries])).not.toContain("a secr");
  expect(first.storage.entries.size).toBe(1);
  const second = openTab(first.storage);
  const draft = second.drafts.of(CHANNEL);
  expect(draft.value).toBe("");
  await second.pad.open();
  expect(draft.value).toBe("a secr");
  second.drafts.set(CHANNEL, "");
  expect(first.storage.entries.size).toBe(0);
});

test("[DR5] what is typed before the pad opens stays in memory, then takes the place of what was kept", async () => {
  const first = openTab();
  await first.pad.open();
  first.drafts.set(CHANNEL, "old");
  first.drafts.flush();
  const second = openTab(first.storage);
  const before = [...first.storage.entries];
  second.drafts.set(CHANNEL, "new");
  await second.clock.advance(400);
  expect([...first.storage.entries]).toEqual(before);
  await second.pad.open();
  expect(second.drafts.of(CHANNEL).value).toBe("new");
  const third = openTab(first.storage);
  await third.pad.open();
  expect(third.drafts.of(CHANNEL).value).toBe("new");
});

test("[DC7] what is written is sealed on the disk before anything is waited for, until the device keeps it", async () => {
  const { keys, pad, storage, unkept } = openTab();
  await pad.open();
  let keep: () => void = () => undefined;
  keys.answer = () => new Promise<object>((resolve) => (keep = () => resolve({})));
  const sent = unkept.send(CHANNEL, "one", text("a secret"));
  expect([...storage.entries.keys()]).toEqual([`lescopains:pad:${ANA}:unkept:one`]);
  expect(JSON.stringify([...storage.entries])).not.toContain("a secret");
  keep();
  await sent;
  expect(storage.entries.size).toBe(0);
});

test("[DC7] what is written before the pad opens is on the disk as soon as it does, unless it is kept by then", async () => {
  const { keys, pad, storage, unkept } = openTab();
  const answers = new Map<string, () => void>();
  keys.answer = (name, question: { readonly nonce?: string }) =>
    name === "pad:key" ? KEY : new Promise<object>((resolve) => answers.set(question.nonce ?? "", () => resolve({})));
  const [one, two] = ["one", "two"].map((nonce) => unkept.send(CHANNEL, nonce, text(nonce)));
  answers.get("one")?.();
  await one;
  await pad.open();
  expect(pad.keys()).toEqual(["unkept:two"]);
  answers.get("two")?.();
  await two;
  expect(storage.entries.size).toBe(0);
});

test("[DC8] the next start gives the device what a killed page left, in order and before what is written then", async () => {
  const storage = new FakeStorage();
  await killedAfter(storage, "b", "a");
  const next = openTab(storage);
  const late = next.unkept.send(CHANNEL, "late", text("late"));
  await started(next);
  await late;
  expect(next.kept).toEqual(["b", "a", "late"]);
  expect(next.keys.questions("dm:send")[0]).toMatchObject({
    channelId: CHANNEL,
    content: text("words of b"),
    writtenAtMs: expect.any(Number),
  });
  expect(storage.entries.size).toBe(0);
});

test("[DC8] what the device can't keep now is given again when it is ready the next time; what it never will is not", async () => {
  const storage = new FakeStorage();
  await killedAfter(storage, "now not", "never");
  const next = openTab(storage);
  const answer = next.keys.answer;
  next.keys.answer = (name, question: { readonly nonce?: string }) => {
    if (name === "pad:key") return KEY;
    throw new KeysError({ code: question.nonce === "never" ? "not_found" : "storage_failed", message: "" });
  };
  await started(next);
  await expect.poll(() => next.pad.keys()).toEqual(["unkept:now not"]);
  next.keys.answer = answer;
  next.keys.tell("device", READY);
  await expect.poll(() => next.kept).toEqual(["now not"]);
  expect(storage.entries.size).toBe(0);
});

test("[DC15] what is given up while the device is being given what stood before it is not sent", async () => {
  const storage = new FakeStorage();
  await killedAfter(storage, "one", "two", "three");
  const next = openTab(storage);
  const { answer } = next.keys;
  const first = Promise.withResolvers<void>();
  next.keys.answer = async (name, question: { readonly nonce?: string }) => {
    if (question.nonce === "one") await first.promise;
    return answer(name, question as never);
  };
  await started(next);
  await expect.poll(() => next.keys.questions("dm:send").length).toBe(1);
  next.unkept.discard("two");
  first.resolve();
  await expect.poll(() => next.kept).toContain("three");
  expect(next.kept).toEqual(["one", "three"]);
  expect(storage.entries.size).toBe(0);
});

test("[DC9] entries that were changed, moved, or made under another key are removed, and nothing of them is sent", async () => {
  const storage = new FakeStorage();
  await killedAfter(storage, "changed", "moved", "cut");
  const prefix = `lescopains:pad:${ANA}:unkept:`;
  const sealed = storage.get(`${prefix}changed`) ?? "";
  storage.set(`${prefix}elsewhere`, storage.get(`${prefix}moved`) ?? "");
  storage.remove(`${prefix}moved`);
  storage.set(`${prefix}changed`, `${sealed.slice(0, 40)}${sealed[40] === "A" ? "B" : "A"}${sealed.slice(41)}`);
  storage.set(`${prefix}cut`, sealed.slice(0, 24));
  storage.set(`${prefix}none`, "not base64!");
  const other = openTab(storage, new Uint8Array(32).fill(8));
  await killedAfter(storage, "foreign");
  await started(other);
  await expect.poll(() => storage.entries.size).toBe(0);
  expect(other.kept).toEqual([]);
});

test("[DC10] with the storage full, what is written is sent all the same", async () => {
  const { clock, drafts, kept, pad, storage, unkept } = openTab();
  await pad.open();
  storage.full = true;
  await unkept.send(CHANNEL, "one", text("one"));
  expect(kept).toEqual(["one"]);
  drafts.set(CHANNEL, "half");
  await clock.advance(400);
  storage.full = false;
  drafts.flush();
  expect(pad.keys()).toEqual([`draft:${CHANNEL}`]);
});

test("[DC10] a page whose device gives no key sends, and writes nothing down", async () => {
  const { keys, kept, pad, storage, unkept } = openTab();
  const { answer } = keys;
  keys.answer = (name, question) => {
    if (name === "pad:key") throw new KeysError({ code: "storage_failed", message: "" });
    return answer(name, question);
  };
  await pad.open();
  await unkept.send(CHANNEL, "one", text("one"));
  expect(kept).toEqual(["one"]);
  expect(storage.entries.size).toBe(0);
  keys.answer = answer;
  await pad.open();
  expect(pad.set("draft:x", "y")).toBe(true);
});

test("[DC11] what one tab wrote and another gives again has one nonce, and is gone from the disk once", async () => {
  const first = openTab();
  await first.pad.open();
  let keep: () => void = () => undefined;
  first.keys.answer = () => new Promise<object>((resolve) => (keep = () => resolve({})));
  const sent = first.unkept.send(CHANNEL, "one", text("one"));
  const second = openTab(first.storage);
  await started(second);
  await expect.poll(() => second.kept).toEqual(["one"]);
  keep();
  await sent;
  expect(first.storage.entries.size).toBe(0);
});

test("[DC12] forgetting the device empties the pad, and nothing more is written on it", async () => {
  const { clock, drafts, keys, pad, storage, unkept } = openTab();
  storage.set("lescopains:pad:someone else:draft:x", "theirs");
  await pad.open();
  drafts.set(CHANNEL, "a secr");
  await clock.advance(400);
  keys.answer = () => new Promise(() => undefined);
  void unkept.send(CHANNEL, "one", text("one"));
  expect(pad.keys()).toHaveLength(2);
  keys.tell("forgotten", {});
  drafts.set(CHANNEL, "a secret");
  await clock.advance(400);
  await pad.open();
  void unkept.send(CHANNEL, "two", text("two"));
  expect([...storage.entries.keys()]).toEqual(["lescopains:pad:someone else:draft:x"]);
});
