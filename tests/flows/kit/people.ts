import { randomUUID } from "node:crypto";
import type { SessionId, UserId } from "@lescopains/protocol/ids";
import type { Server } from "@lescopains/protocol/entities";
import { v7 } from "uuid";
import { signAccessToken } from "../../../edge/src/auth/access-token.ts";
import type { Place } from "./place.ts";
import { granted } from "./rest.ts";

/** Someone who is signed in. */
export interface Person {
  readonly id: UserId;
  readonly username: string;
  readonly sessionId: SessionId;
  readonly token: string;
}

/** A person who came through the front door: `POST /api/auth/register`. Costs a bcrypt hash, about 300 ms of CPU. */
export interface Registered extends Person {
  readonly password: string;
}

/** A name that nobody else has. */
export function freshName(prefix = "p"): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

function sessionOf(token: string): SessionId {
  const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as {
    sid: SessionId;
  };
  return payload.sid;
}

/** Makes an account as a browser would. */
export async function register(place: Pick<Place, "url">, username: string = freshName()): Promise<Registered> {
  const password = `the password of ${username}`;
  const { user, accessToken } = await granted(place.url, "register", { body: { username, password } });
  return { id: user.id, username, sessionId: sessionOf(accessToken), token: accessToken, password };
}

/**
 * Puts people and their sessions straight into PostgreSQL, with genuine access tokens: for tests that need many of them,
 * or none of the sign-in. They have no password.
 */
export async function enroll(place: Place, count: number): Promise<Person[]> {
  const people = await Promise.all(
    Array.from({ length: count }, async () => {
      const id = v7() as UserId;
      const sessionId = v7() as SessionId;
      const token = await signAccessToken(place.jwtSecret, id, sessionId, Date.now());
      return { id, sessionId, username: freshName(), token };
    }),
  );
  await place.sql.query(
    `INSERT INTO users (id, username, display_name, password_hash)
     SELECT id, name, name, '' FROM unnest($1::uuid[], $2::text[]) AS p (id, name)`,
    [people.map(({ id }) => id), people.map(({ username }) => username)],
  );
  await place.sql.query(
    `INSERT INTO sessions (id, user_id, name, expires_at)
     SELECT id, user_id, 'a test', now() + interval '1 day' FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)`,
    [people.map(({ sessionId }) => sessionId), people.map(({ id }) => id)],
  );
  return people;
}

/** A token of the person's session that ends `lifeMs` from now (to the second below). */
export function tokenFor(place: Place, person: Person, lifeMs: number): Promise<string> {
  const fifteenMinutesMs = 15 * 60_000;
  return signAccessToken(place.jwtSecret, person.id, person.sessionId, Date.now() + lifeMs - fifteenMinutesMs);
}

/** A server owned by `owner` that `others` have joined through one invite. */
export async function serverWith(
  place: Pick<Place, "url">,
  owner: Person,
  others: readonly Person[] = [],
): Promise<Server> {
  const made = await granted(place.url, "createServer", { token: owner.token, body: { name: "Chez les copains" } });
  if (others.length === 0) return made;
  const { code } = await granted(place.url, "createInvite", { token: owner.token, params: { id: made.id }, body: {} });
  // A change of a server is made on the version before: one after the other meets no conflict.
  for (const { token } of others) await granted(place.url, "joinInvite", { token, params: { code } });
  return granted(place.url, "getServer", { token: owner.token, params: { id: made.id } });
}

/** The first text channel of a server. */
export function textChannel(server: Server): Server["channels"][number] {
  const channel = server.channels.find(({ type }) => type === "text");
  if (channel === undefined) throw new Error("the server has no text channel");
  return channel;
}
