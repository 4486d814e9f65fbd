import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JoinId } from "@lescopains/protocol/ids";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { iceFor } from "../../edge/src/voice/ice.ts";
import { type Stack, startStack } from "../../tools/stack/stack.ts";
import { startTurn, type TurnServer } from "./kit/turn.ts";
import { comeIn, hears, launchWithDevices, twoCallers, voiceChannel, type Watched } from "./kit/voice.ts";

const dataDir = mkdtempSync(join(tmpdir(), "lescopains-relay-"));
let turn: TurnServer;
let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  [turn, browser] = await Promise.all([startTurn(), launchWithDevices()]);
  const limits = { REGISTER_LIMIT: "1000000", REST_LIMIT: "1000000", LOGIN_LIMIT: "1000000" };
  stack = await startStack({
    dataDir,
    env: { ...limits, TURN_URLS: turn.urls, TURN_SECRET: turn.secret, ICE_TRANSPORT_POLICY: "relay" },
  });
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
  await turn.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** How a page's media leave it: the kind of the near end of each pair that is in use. */
function waysOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const ways: string[] = [];
    for (const connection of (globalThis as unknown as Watched).connections) {
      const stats = [...(await connection.getStats()).values()];
      for (const { type, selectedCandidatePairId } of stats) {
        const pair = type === "transport" ? stats.find(({ id }) => id === selectedCandidatePairId) : undefined;
        if (pair !== undefined) ways.push(stats.find(({ id }) => id === pair.localCandidateId)?.candidateType);
      }
    }
    return ways;
  });
}

/** The relays that a page gets with credentials that the edge made at a time, and the codes of refusals. */
async function relaysWith(page: Page, madeAtMs: number): Promise<{ relays: number; refusals: number[] }> {
  const settings = { TURN_URLS: turn.urls, TURN_SECRET: turn.secret, ICE_TRANSPORT_POLICY: "relay" };
  const configuration = await iceFor(settings, "018f0000-0000-7000-8000-000000000001" as JoinId, madeAtMs);
  return page.evaluate(async (given) => {
    const connection = new RTCPeerConnection(given as RTCConfiguration);
    const found = { relays: 0, refusals: [] as number[] };
    connection.addEventListener("icecandidateerror", ({ errorCode }) => found.refusals.push(errorCode));
    const complete = new Promise<void>((resolve) => {
      connection.addEventListener("icecandidate", ({ candidate }) => {
        if (candidate === null) resolve();
        else if (candidate.type === "relay") found.relays += 1;
      });
    });
    connection.createDataChannel("any");
    await connection.setLocalDescription();
    await complete;
    connection.close();
    return found;
  }, configuration);
}

test("[VC39] through a relay alone a call is heard, with credentials that the edge made; expired ones open none", async () => {
  const { url } = stack;
  const { gang, chloe, leo } = await twoCallers(browser, url);
  const lounge = await voiceChannel(url, gang);
  await Promise.all([comeIn(chloe.page, url, lounge), comeIn(leo.page, url, lounge)]);
  await Promise.all([hears(chloe.page), hears(leo.page)]);
  for (const { page } of [chloe, leo]) expect(new Set(await waysOf(page))).toEqual(new Set(["relay"]));

  const hourMs = 60 * 60_000;
  expect((await relaysWith(leo.page, Date.now() - 11 * hourMs)).relays).toBeGreaterThan(0);
  const expired = await relaysWith(leo.page, Date.now() - 13 * hourMs);
  expect(expired.relays).toBe(0);
  expect(expired.refusals).toContain(401);
  expect(chloe.faults).toEqual([]);
  expect(leo.faults).toEqual([]);
  await leo.context.close();
  await chloe.context.close();
});
