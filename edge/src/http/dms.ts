import type { DirectChannel } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { v7 } from "uuid";
import { admit, openings } from "../auth/limits.ts";
import { mayReach } from "../db/contacts.ts";
import { countDms, directChannel, directChannels, findDm, openDm, openGroup, type OpenedRow } from "../db/dms.ts";
import { type Database, DatabaseError } from "../db/port.ts";
import { channelActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { tellUsers } from "../platform/tell.ts";
import { type App, serve } from "./route.ts";

const NO_PERSON = refuse("not_found", "someone among them is nobody that you may reach");
const NO_CHANNEL = refuse("not_found", "no such conversation");

/** `/api/dms`: conversations without a server. Who is in one is its channel actor's to say. */
export function dmRoutes(app: App): void {
  serve(app, "listDms", async ({ db, user }) => ok({ channels: await directChannels(db, user.sub) }));

  serve(app, "openDm", async ({ env, db, user, body, found }) => {
    const others = body.userIds.filter((id) => id !== user.sub);
    if (others.length === 0) return refuse("invalid_request", "a conversation has somebody else in it");
    if (!(await mayReach(db, user.sub, others))) return NO_PERSON;
    const [known] = others.length === 1 ? await db.query(findDm, [user.sub, others[0] ?? user.sub]) : [];
    // Looking for what is there costs nothing.
    const admitted = known === undefined ? await admit(db, [await openings(env, user.sub)]) : ok();
    if (!admitted.ok) return admitted;
    const opened = known === undefined ? await open(db, user.sub, others) : ok({ ...known, found: true });
    if (!opened.ok) return opened;
    const channel = await directChannel(db, user.sub, opened.value.id);
    if (channel === undefined) return NO_CHANNEL;
    if (opened.value.found) found();
    else await tellOpened(env, channel);
    return ok(channel);
  });

  serve(app, "addParticipant", async ({ env, db, user, params: { id, userId } }) => {
    if (!(await mayReach(db, user.sub, [userId]))) return NO_PERSON;
    const admitted = await admit(db, [await openings(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const added = await channelActor(env, id).addPerson(user.sub, userId);
    if (!added.ok) return added;
    const [theirs, own] = await Promise.all([directChannel(db, userId, id), directChannel(db, user.sub, id)]);
    if (own === undefined) return NO_CHANNEL;
    if (theirs !== undefined) await tellUsers(env, [userId], { event: "dm:created", body: { channel: theirs } });
    await tellPeople(env, own, userId);
    return ok(own);
  });

  serve(app, "removeParticipant", async ({ env, db, user, params: { id, userId } }) => {
    const removed = await channelActor(env, id).removePerson(user.sub, userId);
    if (!removed.ok) return removed;
    await tellUsers(env, [userId], { event: "dm:removed", body: { channelId: id } });
    const [someone] = removed.value.left;
    const channel = someone === undefined ? undefined : await directChannel(db, someone, id);
    if (channel !== undefined) await tellPeople(env, channel);
    return ok();
  });
}

async function open(db: Database, userId: UserId, others: readonly UserId[]): Promise<Outcome<OpenedRow>> {
  const id = v7() as ChannelId;
  const [other] = others;
  if (others.length === 1 && other !== undefined) {
    // Both may open it at the same moment: then one of them finds it.
    const row = await openPair(db, id, userId, other).catch((error: unknown) => {
      if (error instanceof DatabaseError && error.kind === "unique") return openPair(db, id, userId, other);
      throw error;
    });
    return row === undefined ? NO_PERSON : ok(row);
  }
  const [{ count } = { count: 0 }] = await db.query(countDms, [userId]);
  if (count >= LIMITS.dmsPerUser) return refuse("limit_reached", "leave some groups first");
  const [row] = await db.query(openGroup, [id, userId, [...others]]);
  return row === undefined ? NO_PERSON : ok(row);
}

async function openPair(db: Database, id: ChannelId, userId: UserId, other: UserId): Promise<OpenedRow | undefined> {
  const [row] = await db.query(openDm, [id, userId, other]);
  return row;
}

/** Nothing has happened in it yet, so that it looks the same to everyone. */
function tellOpened(env: Env, channel: DirectChannel): Promise<void> {
  return tellUsers(
    env,
    channel.participants.map(({ id }) => id),
    { event: "dm:created", body: { channel } },
  );
}

/** Everyone in it, but the one who was just told of it, learns who is in it now. */
function tellPeople(
  env: Env,
  { id, ownerId, participants }: Pick<DirectChannel, "id" | "ownerId" | "participants">,
  newcomer?: UserId,
): Promise<void> {
  const told = participants.map((person) => person.id).filter((userId) => userId !== newcomer);
  return tellUsers(env, told, { event: "dm:updated", body: { channelId: id, ownerId, participants } });
}
