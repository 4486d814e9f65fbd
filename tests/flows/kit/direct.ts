import type { Ciphertext, DeviceCiphertext } from "@lescopains/protocol/ciphertext";
import type { DirectChannel, Message } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { v7 } from "uuid";
import type { Connection } from "./connection.ts";
import { base64, type DevicePerson } from "./devices.ts";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";
import { granted } from "./rest.ts";

/** What a test writes in place of a ciphertext, so that it can tell whose it is. */
export function sealedFor({ id, deviceId }: Pick<DevicePerson, "id" | "deviceId">, text: string): DeviceCiphertext {
  return { userId: id, deviceId, type: 2, body: base64(Buffer.from(`${text} for ${id} ${deviceId}`)) };
}

/** A message of two or more people, for these devices. */
export function pairwise(channelId: ChannelId, text: string, ...devices: DevicePerson[]) {
  return { channelId, nonce: v7(), ciphertexts: devices.map((device) => sealedFor(device, text)) };
}

/** The words that came for a device; null: no ciphertext. */
export function words(of: { readonly ciphertext?: Ciphertext | null | undefined } | undefined): string | null {
  return of?.ciphertext ? Buffer.from(of.ciphertext.body, "base64").toString() : null;
}

export function said(connection: Connection, channelId: ChannelId): Message[] {
  return connection.of("message:new").filter((message) => message.channelId === channelId);
}

export function openDm(
  place: Pick<Place, "url">,
  by: Person,
  ...others: { readonly id: UserId }[]
): Promise<DirectChannel> {
  return granted(place.url, "openDm", { token: by.token, body: { userIds: others.map(({ id }) => id) } });
}
