import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { launchFirefox } from "../../tools/firefox.ts";
import { ask, FAKE_MEDIA, type FramesSite, openCall, serveFrames, until } from "./kit/frames.ts";

let chromium: Browser;
let firefox: Browser;
let site: FramesSite;
let page: Page;
beforeAll(async () => {
  site = await serveFrames();
  chromium = await launchChromium(FAKE_MEDIA);
  firefox = await launchFirefox(FAKE_MEDIA);
});
afterEach(async () => {
  await page.context().close();
});
afterAll(async () => {
  await chromium.close();
  await firefox.close();
  site.close();
});

/** How frames are lent, and by whom. Firefox has the standard's way only. */
const ways = [
  { engine: "Chromium", api: "script" },
  { engine: "Chromium", api: "streams" },
  { engine: "Firefox", api: "script" },
] as const;
type Way = (typeof ways)[number];

async function opened({ engine }: Way): Promise<void> {
  page = await openCall(engine === "Firefox" ? firefox : chromium, site);
}

/** Ana and ben, each with the other's key. */
async function together(way: Way = ways[0]): Promise<void> {
  await opened(way);
  await ask(page, "enter", "ana", way.api);
  await ask(page, "enter", "ben", way.api);
  await ask(page, "tellAll");
  for (const name of ["ana", "ben"] as const) await until(page, "code", [name], (code) => code !== undefined);
}

/** Each of these has decoded so many frames, or heard something. */
async function untilHeard(names: readonly string[], frames = 20): Promise<void> {
  await until(page, "heard", [], (heard) =>
    names.every((name) => {
      const { framesDecoded = 0, energy = 0 } = heard[name] ?? {};
      return framesDecoded >= frames || energy > 0;
    }),
  );
}

const everything = ["ana audio", "ana camera", "ben audio", "ben camera"];

describe.each(ways)("$engine, by $api", (way) => {
  test("[FR21] sound and a VP8 camera go both ways through the worker, and not a frame is dropped", async () => {
    await together(way);
    await ask(page, "talk", { video: "vp8" });
    await untilHeard(everything);
    for (const name of ["ana", "ben"] as const) {
      const counts = await ask(page, "counts", name);
      expect(Object.keys(counts).toSorted()).toEqual(["receive audio", "receive camera", "send audio", "send camera"]);
      for (const { passed, dropped } of Object.values(counts)) {
        expect(passed).toBeGreaterThan(0);
        expect(dropped).toEqual({});
      }
      expect(await ask(page, "opens", name)).toMatchObject({ [name === "ana" ? "ben camera" : "ana camera"]: true });
    }
    expect(await ask(page, "code", "ana")).toBe(await ask(page, "code", "ben"));
  });

  test("[FR22] without the key nothing is decoded and nothing is heard, and with it everything is", async () => {
    await opened(way);
    await ask(page, "enter", "ana", way.api);
    await ask(page, "enter", "ben", way.api);
    await ask(page, "lose", "ana", "ben");
    await ask(page, "tellAll");
    await ask(page, "talk", { video: "vp8" });
    await untilHeard(["ana audio", "ana camera"]);
    const counts = await until(page, "counts", ["ben"], (now) =>
      ["receive audio", "receive camera"].every((track) => (now[track]?.dropped.unknown_key ?? 0) > 20),
    );
    expect(counts["receive audio"]?.passed).toBe(0);
    expect(counts["receive camera"]?.passed).toBe(0);
    const heard = await ask(page, "heard");
    expect(heard["ben camera"]).toMatchObject({ framesDecoded: 0 });
    expect(heard["ben audio"]).toMatchObject({ energy: 0 });
    expect(heard["ben audio"]?.packets).toBeGreaterThan(20);
    expect(await ask(page, "opens", "ben")).toEqual({ "ana audio": false, "ana camera": false });
    expect(await ask(page, "enabled")).toMatchObject({ "ben audio": false, "ben camera": false });
    expect(await ask(page, "code", "ben")).toBeUndefined();
    await ask(page, "loseNothing");
    await untilHeard(everything);
    expect(await ask(page, "opens", "ben")).toEqual({ "ana audio": true, "ana camera": true });
    expect(await ask(page, "enabled")).toMatchObject({ "ben audio": true, "ben camera": true });
  });

  test("[FR22] before there is a key nothing leaves", async () => {
    await opened(way);
    await ask(page, "enter", "ana", way.api);
    await ask(page, "talkTo", false);
    await until(page, "counts", ["ana"], (now) => (now["send audio"]?.dropped.no_key ?? 0) > 20);
    expect((await ask(page, "heard"))["plain audio"]?.packets ?? 0).toBe(0);
  });

  test("[FR23] keys change while people come and go, and at most 250 ms of media are lost", async () => {
    await together(way);
    await ask(page, "talk", { video: "vp8" });
    await untilHeard(everything);
    await ask(page, "enter", "carl", way.api);
    await ask(page, "tellAll");
    await until(page, "code", ["carl"], (code) => code !== undefined);
    const joined = await ask(page, "counts", "ben");
    await until(page, "counts", ["ben"], (now) => passedIn(now, "camera") > passedIn(joined, "camera") + 20);
    await ask(page, "leave", "carl");
    await until(page, "code", ["ana"], (code) => code !== undefined);
    const left = await ask(page, "counts", "ben");
    const after = await until(
      page,
      "counts",
      ["ben"],
      (now) => passedIn(now, "camera") > passedIn(left, "camera") + 40,
    );
    // Frames of sound last 20 ms; the fake camera makes 20 pictures a second.
    expect(droppedIn(after, "audio") * 20).toBeLessThanOrEqual(250);
    expect(droppedIn(after, "camera") * 50).toBeLessThanOrEqual(250);
    expect(await ask(page, "code", "ana")).toBe(await ask(page, "code", "ben"));
  });
});

describe.each(ways)("layers in $engine, by $api", (way) => {
  test("[FR21] each layer of a simulcast VP8 camera opens by itself", async () => {
    await together(way);
    await ask(page, "simulcast");
    await untilHeard(["ben q", "ben h", "ben f"]);
  });

  // Firefox makes VP9 without spatial layers.
  const scalability = way.engine === "Firefox" ? {} : { scalabilityMode: "L3T3_KEY" };
  test("[FR21] VP9 goes through the worker, in three spatial layers where there are such", async () => {
    await together(way);
    await ask(page, "talk", { video: "vp9", ...scalability });
    await untilHeard(everything);
    expect((await ask(page, "counts", "ben"))["receive camera"]?.dropped).toEqual({});
  });
});

test("[FR22] a camera that the server passes off as a screen is not decoded", async () => {
  await together();
  await ask(page, "talk", { video: "vp8", cameraAs: "screen" });
  await untilHeard(["ana audio", "ana camera", "ben audio"]);
  await until(page, "counts", ["ben"], (now) => (now["receive screen"]?.dropped.not_authentic ?? 0) > 20);
  expect((await ask(page, "heard"))["ben camera"]).toMatchObject({ framesDecoded: 0 });
});

test("[FR23] whom the list no longer names is told, and nothing of theirs leaves any more", async () => {
  await together();
  await ask(page, "talk", { video: "vp8" });
  await untilHeard(everything);
  await ask(page, "exclude", "ana");
  await until(page, "isOver", ["ana"], (isOver) => isOver);
  await until(page, "counts", ["ana"], (now) => (now["send camera"]?.dropped.no_key ?? 0) > 20);
  const { passed } = (await ask(page, "counts", "ben"))["receive camera"] ?? {};
  await until(page, "counts", ["ana"], (now) => (now["send camera"]?.dropped.no_key ?? 0) > 40);
  expect((await ask(page, "counts", "ben"))["receive camera"]?.passed).toBe(passed);
  expect(await ask(page, "isOver", "ben")).toBe(false);
});

test("[FR22] a track that went past its encryption is stopped, and its stay is over", async () => {
  await together();
  await ask(page, "talkTo", true);
  await until(page, "isOver", ["ana"], (isOver) => isOver);
  expect(await ask(page, "isStopped")).toBe(true);
});

type Counts = Awaited<ReturnType<typeof ask<"counts">>>;

function passedIn(counts: Counts, role: string): number {
  return counts[`receive ${role}`]?.passed ?? 0;
}

function droppedIn(counts: Counts, role: string): number {
  return Object.values(counts[`receive ${role}`]?.dropped ?? {}).reduce((sum, count) => sum + count, 0);
}

test("[FR24] a browser that cannot lend frames is told so, and joins nothing", async () => {
  await opened(ways[0]);
  expect(await ask(page, "frameApi")).toBe("script");
  await page.evaluate(() => Reflect.deleteProperty(globalThis, "RTCRtpScriptTransform"));
  expect(await ask(page, "frameApi")).toBe("streams");
  await page.evaluate(() => Reflect.deleteProperty(RTCRtpSender.prototype, "createEncodedStreams"));
  expect(await ask(page, "frameApi")).toBeUndefined();
});
