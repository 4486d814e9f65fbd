import { createHash, X509Certificate } from "node:crypto";
import { connect as connectTls } from "node:tls";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { begin, dmRow, settled } from "../browser/kit/direct.ts";
import { composer, message, openChannel, say, stored } from "../browser/kit/drive.ts";
import { type Gang, seedGang } from "../browser/kit/seed.ts";
import type { Visitor } from "../browser/kit/visitor.ts";
import { comeIn, fakeDevices, voiceChannel, watchConnections, hears } from "../browser/kit/voice.ts";
import { connect } from "../flows/kit/connection.ts";
import { enroll, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { type Front, startFront } from "./kit/front.ts";

let place: Place;
let front: Front;
let browser: Browser;
let gang: Gang;
let chloe: Visitor;
let leo: Visitor;
beforeAll(async () => {
  // As a second node on the machine is reached: by a path.
  const sfuEnv = { SFU_PUBLIC_URL: "/nodes/sfu2" };
  place = await startPlace({ TRUSTED_PROXY: "127.0.0.1" }, { sfu: true, sfuEnv });
  front = await startFront({
    edge: `127.0.0.1:${place.stack.port}`,
    sfu2: `127.0.0.1:${place.stack.sfu?.httpPort}`,
    domain: "localhost",
  });
  browser = await launchChromium({
    args: [
      ...fakeDevices,
      // HTTP/3 is for certificates that the browser knows.
      `--ignore-certificate-errors-spki-list=${await keyHash(front)}`,
      `--origin-to-force-quic-on=localhost:${front.httpsPort}`,
    ],
  });
  gang = await seedGang({ url: place.url, people: ["Chloé", "Léo"] });
  const [leoHere = gang.owner] = gang.others;
  const options = { ignoreHTTPSErrors: true };
  chloe = await settled(browser, front.url, gang.owner, options);
  leo = await settled(browser, front.url, leoHere, options);
});
afterAll(async () => {
  await browser?.close();
  await front?.stop();
  await place?.stop();
});

/** Of the public key of the front's certificate, as Chromium's flag takes it. */
async function keyHash({ httpsPort, ca }: Front): Promise<string> {
  const socket = connectTls({ host: "127.0.0.1", port: httpsPort, servername: "localhost", ca });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  const key = new X509Certificate(raw).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

test("[PX12] two people come by HTTP/3, write to each other and talk, and the policy has nothing to say against it", async () => {
  const { url } = front;
  const lounge = await voiceChannel(place.url, gang);
  for (const { context } of [chloe, leo]) await watchConnections(context);
  for (const { page } of [chloe, leo]) await openChannel(page, url, gang.server.id, gang.channel.id);
  const isolated = await chloe.page.evaluate(() => [
    performance.getEntriesByType("navigation").map((entry) => (entry as PerformanceNavigationTiming).nextHopProtocol),
    crossOriginIsolated,
    isSecureContext,
  ]);
  expect(isolated).toEqual([["h3"], true, true]);

  await say(chloe.page, "*par la* `porte` d'entrée");
  await message(leo.page, "par la porte d'entrée").locator("em").waitFor();

  await begin(chloe.page, url, ["Léo"]);
  await say(chloe.page, "entre nous");
  await leo.page.goto(`${url}/dm/new`);
  await dmRow(leo.page, "Chloé").click();
  await message(leo.page, "entre nous").waitFor();

  for (const { page } of [chloe, leo]) await comeIn(page, url, lounge);
  for (const { page } of [chloe, leo]) await hears(page);
  for (const { faults } of [chloe, leo]) expect(faults).toEqual([]);

  // And it would have said so.
  await leo.page.evaluate(() => {
    const attempts = [
      () => (document.createElement("p").innerHTML = "<img src=x onerror=alert(1)>"),
      () => new Worker("data:text/javascript,0"),
      () => new Worker("/look.js"),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch {
        // As it should.
      }
    }
  });
  await expect.poll(() => leo.faults.filter((fault) => fault.includes("Trusted")).length).toBe(3);
  leo.faults.length = 0;
}, 240_000);

test("[PX13] while the edge is away Caddy says so, and people are back when it is, with nothing lost", async () => {
  for (const { page } of [chloe, leo]) await openChannel(page, front.url, gang.server.id, gang.channel.id);
  await composer(chloe.page).waitFor();
  await place.stack.workerd.kill9();
  await say(chloe.page, "pendant la coupure");
  await chloe.page.getByText("Reconnexion…").waitFor();

  const [api, page] = await Promise.all([
    front.ask("/api/users/@me"),
    front.ask("/s/1", { headers: { accept: "text/html,*/*" } }),
  ]);
  expect([api.status, api.headers["retry-after"], JSON.parse(api.body.toString("utf8"))]).toEqual([
    503,
    "1",
    { error: { code: "unavailable", message: "the server is being started again", retryAfterMs: 1_000 } },
  ]);
  expect([page.status, page.headers["content-type"]]).toEqual([503, "text/html; charset=utf-8"]);
  expect(page.body.toString("utf8")).toContain("LesCopains redémarre");
  // Who asks a moment before it is back waits, and is answered.
  const early = front.ask("/health");
  await place.stack.workerd.restart();
  expect((await early).status).toBe(200);
  await stored(chloe.page, "pendant la coupure").waitFor({ timeout: 60_000 });
  await message(leo.page, "pendant la coupure").waitFor({ timeout: 60_000 });
  await chloe.page.getByText("Reconnexion…").waitFor({ state: "detached" });
  expect(await message(leo.page, "pendant la coupure").count()).toBe(1);
  for (const { faults } of [chloe, leo]) expect(faults).toEqual([]);
});

test("[PX14] a reload of Caddy loses nothing: sockets stay, or before Caddy 2.7 come back", async () => {
  const [ana, ben] = await enroll(place, 2);
  if (ana === undefined || ben === undefined) throw new Error("nobody enrolled");
  const channelId = textChannel(await serverWith(place, ana, [ben])).id;
  const options = { agent: front.agent as never };
  const writer = await connect({ url: front.url }, ana, options);
  const reader = await connect({ url: front.url }, ben, options);
  const poller = await connect({ url: front.url }, ben, { ...options, transports: ["polling"] });
  const sockets = [writer, reader];
  await front.reload();
  if (front.version[1] < 7) for (const one of sockets) await one.until("ready", () => one.of("ready").length === 2);
  await writer.must("message:send", { channelId, content: "encore là", nonce: crypto.randomUUID() });
  for (const one of [reader, poller]) await one.until("message:new", ({ content }) => content === "encore là");
  expect(poller.closes).toEqual([]);
  if (front.version[1] >= 7) for (const one of sockets) expect(one.closes).toEqual([]);
  for (const one of [writer, reader, poller]) one.close();
});
