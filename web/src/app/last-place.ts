import { ChannelId, ServerId } from "@lescopains/protocol/ids";
import * as v from "valibot";
import { keep, kept } from "./kept.ts";

/** Where one was last, in this browser: coming back begins there. */
export function lastServer(): ServerId | undefined {
  const parsed = v.safeParse(ServerId, kept("last-server"));
  return parsed.success ? parsed.output : undefined;
}

export function lastChannel(serverId: ServerId): ChannelId | undefined {
  const parsed = v.safeParse(ChannelId, kept(`last-channel.${serverId}`));
  return parsed.success ? parsed.output : undefined;
}

/** The direct conversation one was in last. */
export function lastDm(): ChannelId | undefined {
  const parsed = v.safeParse(ChannelId, kept("last-dm"));
  return parsed.success ? parsed.output : undefined;
}

export function rememberDm(channelId: ChannelId): void {
  keep("last-dm", channelId);
}

export function rememberPlace(serverId: ServerId, channelId: ChannelId): void {
  keep("last-server", serverId);
  keep(`last-channel.${serverId}`, channelId);
}
