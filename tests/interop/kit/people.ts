import type { Device } from "./device.ts";
import { EngineDevice } from "./engine.ts";
import { OfficialDevice } from "./official.ts";

export const alice = { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 1 };
export const bob = { accountId: "2e0b7a52-7c1d-4f8e-9a51-c5d1e0f4a0b2", deviceId: 127 };

export type Kind = "engine" | "official";

/** Who begins and who answers. */
export const roles: readonly (readonly [Kind, Kind])[] = [
  ["engine", "official"],
  ["official", "engine"],
];

export async function device(kind: Kind, address: Device["address"], seed = 1): Promise<Device> {
  return kind === "official" ? new OfficialDevice(address) : EngineDevice.create(address, seed);
}

export async function pair([first, second]: readonly [Kind, Kind], seed = 1): Promise<[Device, Device]> {
  return [await device(first, alice, seed), await device(second, bob, seed + 1_000)];
}

export function text(words: string): Uint8Array {
  return Uint8Array.from(new TextEncoder().encode(words));
}

/** Sends a message and checks that it is read. */
export async function say(from: Device, to: Device, words: string): Promise<void> {
  const message = await from.send(to.address, text(words));
  const read = new TextDecoder().decode(await to.receive(from.address, message));
  if (read !== words) throw new Error(`"${words}" was read as "${read}"`);
}

/** Two devices with a session that both have written in. */
export async function acquainted(kinds: readonly [Kind, Kind], seed = 1): Promise<[Device, Device]> {
  const [a, b] = await pair(kinds, seed);
  await a.begin(b.address, await b.newBundle());
  await say(a, b, "first");
  await say(b, a, "answer");
  return [a, b];
}
