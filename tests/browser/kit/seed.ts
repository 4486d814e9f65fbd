import type { Channel, Server } from "@lescopains/protocol/entities";
import { connect } from "../../flows/kit/connection.ts";
import { type Registered, register, serverWith, textChannel } from "../../flows/kit/people.ts";
import { granted } from "../../flows/kit/rest.ts";

/** A place with people in it, made through the front door. */
export interface Gang {
  readonly owner: Registered;
  readonly others: readonly Registered[];
  readonly server: Server;
  readonly channel: Channel;
}

interface GangOptions {
  readonly url: string;
  readonly name?: string;
  /** Display names; the first is the owner's. */
  readonly people: readonly [string, ...string[]];
}

/** Registers people, and puts them in a place of the first one's. */
export async function seedGang({ url, name, people }: GangOptions): Promise<Gang> {
  const place = { url };
  const registered: Registered[] = [];
  for (const displayName of people) {
    const person = await register(place);
    await granted(url, "patchSelf", { token: person.token, body: { displayName } });
    registered.push(person);
  }
  const [owner, ...others] = registered;
  if (owner === undefined) throw new Error("a gang has at least one person");
  let server = await serverWith(place, owner, others);
  if (name !== undefined) {
    server = await granted(url, "patchServer", { token: owner.token, params: { id: server.id }, body: { name } });
  }
  return { owner, others, server, channel: textChannel(server) };
}

/** Says things in a channel, one after the other, as different people. */
export async function converse(
  url: string,
  channelId: Channel["id"],
  lines: readonly (readonly [speaker: Registered, content: string])[],
): Promise<void> {
  const speakers = [...new Set(lines.map(([speaker]) => speaker))];
  const connections = new Map(
    await Promise.all(speakers.map(async (speaker) => [speaker, await connect({ url }, speaker)] as const)),
  );
  for (const [speaker, content] of lines) {
    await connections.get(speaker)?.must("message:send", { channelId, content, nonce: crypto.randomUUID() });
  }
  for (const connection of connections.values()) connection.close();
}
