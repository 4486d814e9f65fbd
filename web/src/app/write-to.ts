import type { UserId } from "@lescopains/protocol/ids";
import type { Client } from "../sync/client.ts";
import type { Live } from "../sync/live-types.ts";
import { href } from "./route.ts";
import { navigate } from "./router.ts";

/**
 * Opens the conversation with some people, made anew or the one that was there, and goes to it.
 * @throws ApiError
 */
export async function writeTo(client: Client, live: Live, userIds: readonly UserId[]): Promise<void> {
  const channel = await client.api.call("openDm", { body: { userIds: [...userIds] } });
  live.putChannel(channel);
  navigate(href({ name: "dm", channelId: channel.id }));
}
