/** People with browsers, for tests of whole devices. */
import { decodeSenderKeyMessage } from "@lescopains/e2ee/group/wire";
import { decodePreKeySignalMessage, decodeSignalMessage } from "@lescopains/e2ee/wire/messages";
import type { UserId } from "@lescopains/protocol/ids";
import { expect } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";
import { FakeBrowser, until } from "./fake-browser.ts";
import { FakeKeysServer } from "./fake-server.ts";

export const ANA = "018f0000-0000-7000-8000-0000000000aa" as UserId;
export const LEO = "018f0000-0000-7000-8000-0000000000bb" as UserId;
export const MIA = "018f0000-0000-7000-8000-0000000000cc" as UserId;

let opened: FakeBrowser[] = [];

export async function browser(server: FakeKeysServer, userId: UserId): Promise<FakeBrowser> {
  const made = await new FakeBrowser(server, userId).open();
  opened.push(made);
  return made;
}

/** Another tab of a browser. */
export async function tabBeside(first: FakeBrowser): Promise<FakeBrowser> {
  const made = await new FakeBrowser(first.server, first.userId, first).open();
  opened.push(made);
  return made;
}

/** After each test. */
export function closeBrowsers(): void {
  for (const one of opened) one.kill();
  opened = [];
}

/** Ana and Léo with a browser each, and a conversation of the two. */
export async function pair() {
  const server = new FakeKeysServer();
  const channel = server.openChannel("dm", [ANA, LEO]);
  const ana = await (await browser(server, ANA)).ready();
  const leo = await (await browser(server, LEO)).ready();
  return { server, channel, ana, leo };
}

/** A further browser of a person who has one: it knows that their identity is elsewhere. */
export async function arrived(server: FakeKeysServer, userId: UserId): Promise<FakeBrowser> {
  const made = await browser(server, userId);
  await until("the identity is elsewhere", () => made.last("device")?.kind === "identityElsewhere");
  return made;
}

/** A second browser of an account that has one: it gets the identity by a code that the first reads. */
export async function joined(server: FakeKeysServer, first: FakeBrowser): Promise<FakeBrowser> {
  const second = await arrived(server, first.userId);
  const state = await second.port.ask("handoff:begin", {});
  if (state.kind !== "waiting") throw new Error("there is no code");
  await first.port.ask("handoff:approve", { code: state.code });
  return await second.ready();
}

/** Each key encrypts one thing: the same place in the same chain never stands before other bytes. */
export function expectNoKeyTwice({ traffic }: FakeKeysServer): void {
  const seen = new Map<string, string>();
  for (const { from, to, type, body } of traffic) {
    const bytes = fromBase64(body);
    let place: string;
    if (type === 7) {
      const { chainId, iteration } = decodeSenderKeyMessage(bytes);
      place = `${from} group ${chainId} ${iteration}`;
    } else {
      const whisper = type === 3 ? decodePreKeySignalMessage(bytes).message : bytes;
      const { ratchetKey, counter } = decodeSignalMessage(whisper);
      place = `${from} ${to} ${toBase64(ratchetKey)} ${counter}`;
    }
    expect(seen.get(place) ?? body, place).toBe(body);
    seen.set(place, body);
  }
}
