import type { ChannelId } from "@lescopains/protocol/ids";
import { peopleOf } from "../../db/dms.ts";
import { channelById } from "../../db/messages.ts";
import type { Database } from "../../db/port.ts";
import { People } from "./people.ts";
import type { Access } from "./rights.ts";

/** What a channel's actor holds of its channel. */
export interface Loaded {
  readonly access: Access;
  readonly direct: "dm" | "group_dm" | null;
  readonly encrypted: boolean;
  /** People can speak there. */
  readonly isVoice: boolean;
  lastSeq: number;
}

/** Null: there is no such channel. Throws `DatabaseError`. */
export async function loadChannel(db: Database, id: ChannelId): Promise<Loaded | null> {
  const [row] = await db.query(channelById, [id]);
  if (row === undefined) return null;
  const { serverId, type, encrypted, lastSeq } = row;
  if (serverId !== null) return { access: { serverId }, direct: null, encrypted, isVoice: type === "voice", lastSeq };
  if (type !== "dm" && type !== "group_dm") return null;
  const people = new People(await db.query(peopleOf, [id]));
  return { access: { people }, direct: type, encrypted: true, isVoice: true, lastSeq };
}
