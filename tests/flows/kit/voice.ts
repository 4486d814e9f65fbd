import type { Channel, Server } from "@lescopains/protocol/entities";
import type { ChannelId, JoinId } from "@lescopains/protocol/ids";
import { afterEach } from "vitest";
import { enroll, type Person, serverWith } from "./people.ts";
import type { Place } from "./place.ts";
import { granted } from "./rest.ts";
import { FakeSfu, type SfuOptions } from "./sfu.ts";

/** A voice channel of a server. */
export async function voiceIn(
  place: Pick<Place, "url">,
  server: Server,
  owner: Person,
  encrypted = false,
): Promise<Channel> {
  const body = { name: "salon", type: "voice" as const, encrypted };
  return granted(place.url, "createChannel", { token: owner.token, params: { id: server.id }, body });
}

/** Two people, who share a server with a voice channel that the first one owns. */
export async function two(
  place: Place,
): Promise<{ readonly ana: Person; readonly leo: Person; readonly server: Server; readonly channelId: ChannelId }> {
  const [ana, leo] = (await enroll(place, 2)) as [Person, Person];
  const server = await serverWith(place, ana, [leo]);
  return { ana, leo, server, channelId: (await voiceIn(place, server, ana)).id };
}

export function join(
  place: Pick<Place, "url">,
  { token }: Pick<Person, "token">,
  channelId: ChannelId,
  joinId?: JoinId,
) {
  return granted(place.url, "joinVoice", { token, body: { channelId, joinId } });
}

/** Nodes for one test each. Called at the top of a test file; `place` is asked at each start. */
export function nodes(place: () => Place): (options?: SfuOptions) => Promise<FakeSfu> {
  const started: FakeSfu[] = [];
  afterEach(() => {
    for (const node of started.splice(0)) node.kill();
  });
  return async (options = {}) => {
    const id = `n-${Math.random().toString(36).slice(2)}`;
    const node = new FakeSfu(place(), { id, ...options });
    started.push(node);
    return node.start();
  };
}
