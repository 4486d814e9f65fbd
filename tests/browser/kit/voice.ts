import type { Channel } from "@lescopains/protocol/entities";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { launchChromium } from "../../../tools/chromium.ts";
import type { Registered } from "../../flows/kit/people.ts";
import { granted } from "../../flows/kit/rest.ts";
import { type Gang, seedGang } from "./seed.ts";
import { signIn, type Tongue, type Visitor, visitor } from "./visitor.ts";

/** A microphone that beeps each second and a camera that shows a clock, and nobody is asked for them. */
export const fakeDevices: readonly string[] = [
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--auto-select-desktop-capture-source=Entire screen",
  // A page that nobody touches may play sound, as one's own does after the first press.
  "--autoplay-policy=no-user-gesture-required",
];

/**
 * A browser with such devices.
 *
 * @param sound a WAV file that the microphone hears instead, over and over
 */
export function launchWithDevices(sound?: string): Promise<Browser> {
  const microphone = sound === undefined ? [] : [`--use-file-for-fake-audio-capture=${sound}`];
  return launchChromium({ args: [...microphone, ...fakeDevices] });
}

/** A WAV file of one second in which somebody hums without a break: the node takes no single beep for speech. */
export function humming(): Buffer {
  const rate = 48_000;
  const wav = Buffer.alloc(44 + rate * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  // PCM, mono; bytes a second, bytes a sample, bits a sample.
  for (const [index, value] of [1, 1].entries()) wav.writeUInt16LE(value, 20 + 2 * index);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(rate * 2, 40);
  for (let index = 0; index < rate; index += 1) {
    const turn = (2 * Math.PI * 220 * index) / rate;
    const level = [1, 2, 3, 4].reduce((sum, harmonic) => sum + Math.sin(turn * harmonic) / harmonic, 0) / 4;
    wav.writeInt16LE(Math.round(level * 0x7fff), 44 + 2 * index);
  }
  return wav;
}

/** A voice channel in a gang's place. */
export async function voiceChannel(url: string, { owner, server }: Gang, name = "Le salon"): Promise<Channel> {
  return granted(url, "createChannel", {
    token: owner.token,
    params: { id: server.id },
    body: { name, type: "voice", topic: null },
  });
}

/** What `caller` makes visible of a page. */
export interface Watched {
  readonly connections: RTCPeerConnection[];
  /** What others send, as the page plays it. */
  ears?: { readonly tracks: Set<MediaStreamTrack>; readonly analysers: AnalyserNode[]; readonly context: AudioContext };
}

/** From the next page on, the pages' connections can be looked at. */
export async function watchConnections(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const connections: RTCPeerConnection[] = [];
    const Native = RTCPeerConnection;
    Object.assign(globalThis, { connections });
    globalThis.RTCPeerConnection = class extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        connections.push(this);
      }
    };
  });
}

/** Someone with a browser of their own, whose connections can be looked at. */
export async function caller(
  browser: Browser,
  url: string,
  person: Registered,
  options: Parameters<typeof visitor>[1] & { readonly tongue?: Tongue } = {},
): Promise<Visitor> {
  const one = await visitor(browser, options);
  await watchConnections(one.context);
  await signIn(one, url, person);
  return one;
}

/** Chloé, who owns the gang, and Léo, each with devices to call with. */
export async function twoCallers(
  browser: Browser,
  url: string,
): Promise<{
  readonly gang: Gang;
  readonly leoAccount: Registered;
  readonly chloe: Visitor;
  readonly leo: Visitor;
}> {
  const gang = await seedGang({ url, people: ["Chloé", "Léo"] });
  const [leoAccount = gang.owner] = gang.others;
  const chloe = await caller(browser, url, gang.owner);
  const leo = await caller(browser, url, leoAccount);
  return { gang, leoAccount, chloe, leo };
}

/** Opens a voice channel's room and comes in. */
export async function comeIn(page: Page, url: string, channel: Channel): Promise<void> {
  await page.goto(`${url}/s/${channel.serverId}/c/${channel.id}`);
  await page.getByRole("button", { name: "Rejoindre", exact: true }).click();
  await page.locator('.dock-status[data-kind="joined"]').waitFor({ timeout: 60_000 });
}

/** Pictures that a page has decoded and packets it has sent so far, over all its open connections. */
export async function media(page: Page): Promise<{ readonly seen: number; readonly sent: number }> {
  return page.evaluate(async () => {
    const { connections } = globalThis as unknown as Watched;
    const total = { seen: 0, sent: 0 };
    for (const connection of connections) {
      if (connection.connectionState === "closed") continue;
      for (const stat of (await connection.getStats()).values()) {
        if (stat.type === "inbound-rtp") total.seen += stat.framesDecoded ?? 0;
        if (stat.type === "outbound-rtp") total.sent += stat.packetsSent ?? 0;
      }
    }
    return total;
  });
}

/** Waits until the page decodes more pictures. */
export async function sees(page: Page): Promise<void> {
  const before = (await media(page)).seen;
  await expect.poll(async () => (await media(page)).seen, { timeout: 40_000 }).toBeGreaterThan(before);
}

/**
 * Waits until the page hears something: sound comes out of what it has received and decrypted. The browser's own count stays at zero, since the
 * page plays through an audio graph and not through the element (`listening.ts`).
 */
export async function hears(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const world = globalThis as unknown as Watched;
      const ears = (world.ears ??= { tracks: new Set(), analysers: [], context: new AudioContext() });
      for (const { track } of world.connections.flatMap((connection) => connection.getReceivers())) {
        if (track.kind !== "audio" || track.readyState !== "live" || ears.tracks.has(track)) continue;
        ears.tracks.add(track);
        const analyser = new AnalyserNode(ears.context, { fftSize: 2_048 });
        ears.context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        ears.analysers.push(analyser);
      }
      return ears.analysers.some((analyser) => {
        const samples = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(samples);
        return samples.some((sample) => Math.abs(sample) > 0.01);
      });
    },
    undefined,
    { timeout: 40_000, polling: 50 },
  );
}

/** A button under the pictures. */
export function control(page: Page, name: string | RegExp): Locator {
  return page.locator(".controls-stage").getByRole("button", { name });
}

/** The digits that people read to each other. */
export async function safetyCode(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Comparer le code de sécurité" }).click();
  const digits = page.locator(".safety-digits");
  await digits.waitFor();
  const text = (await digits.innerText()).replaceAll(/\s/g, "");
  await page.keyboard.press("Escape");
  return text;
}
