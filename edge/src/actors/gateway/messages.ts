import type { AnyDown } from "@lescopains/protocol/down";
import type { StatusChoice } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";

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
