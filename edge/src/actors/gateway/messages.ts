import type { Ciphertext, DeviceCiphertext } from "@lescopains/protocol/ciphertext";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { AnyDown } from "@lescopains/protocol/down";
import type { StatusChoice } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { DeviceAddress } from "@lescopains/protocol/keys";

/** What a user chose to show. */
export interface LocalPresence {
  readonly status: StatusChoice;
  readonly customStatus?: string;
}

/** The channels of a server that a user may view now; null: the user is not a member (any more). */
export interface Access {
  readonly userId: UserId;
  readonly channelIds: ChannelId[] | null;
}

/** What a server actor tells every gateway after something in its server changed. */
export interface ServerChange {
  /** `servers.version` after the change: an older view must not overwrite a newer one. */
  readonly version: number;
  readonly access?: readonly Access[];
  readonly events: readonly { readonly to: "members" | readonly UserId[]; readonly event: AnyDown }[];
}

/** An event, and for whom of those who get it there is a ciphertext: one for each device, or one for all but the device that sent it. */
export interface Told {
  readonly event: AnyDown;
  readonly sealed?: Sealed;
}

export interface Sealed {
  readonly from?: DeviceAddress;
  readonly shared?: Ciphertext;
  readonly each?: readonly DeviceCiphertext[];
}

/** What there is for a device; null: nothing. */
export function ciphertextFor(
  { from, shared, each }: Sealed,
  userId: UserId,
  deviceId: DeviceId | null,
): Ciphertext | null {
  if (deviceId === null) return null;
  if (shared !== undefined) return from?.userId === userId && from.deviceId === deviceId ? null : shared;
  const own = each?.find((one) => one.userId === userId && one.deviceId === deviceId);
  return own === undefined ? null : { type: own.type, body: own.body };
}

/** An event of a direct conversation for one reader; undefined: it is nothing to them. */
export function forReader(event: AnyDown, ciphertext: Ciphertext | null): AnyDown | undefined {
  if (event.event === "message:new") return { ...event, body: { ...event.body, ciphertext } };
  if (event.event !== "message:ephemeral") return event;
  return ciphertext === null ? undefined : { ...event, body: { ...event.body, ciphertext } };
}
