import type { SessionId, UserId } from "@lescopains/protocol/ids";
import { DEFAULT_PERMISSIONS } from "@lescopains/protocol/permissions";
import { hash } from "bcryptjs";
import { Client } from "pg";
import { v7 } from "uuid";
import { signAccessToken } from "../edge/src/auth/access-token.ts";

const peopleCount = 1_000;
const channelCount = 20;
/** Everyone's. */
export const password = "correct horse battery staple";
const bcryptCost = 12;

interface Person {
  readonly id: UserId;
  readonly sessionId: SessionId;
  readonly username: string;
}

/** One server with a thousand members and twenty channels, the same for every subject. */
export interface World {
  readonly people: readonly Person[];
  readonly channelIds: readonly string[];
  /** Fresh access tokens of the first `count` people. */
  tokens(count: number): Promise<string[]>;
}

export interface Plan {
  readonly people: readonly Person[];
  readonly channelIds: readonly string[];
  readonly passwordHash: string;
}

/** Decides who is there, before any database is filled. */
export async function planWorld(): Promise<Plan> {
  return {
    people: Array.from({ length: peopleCount }, (_, index) => ({
      id: v7() as UserId,
      sessionId: v7() as SessionId,
      username: `bench${index}`,
    })),
    channelIds: Array.from({ length: channelCount }, () => v7()),
    passwordHash: await hash(password, bcryptCost),
  };
}

/** Puts the world into a migrated database. `jwtSecret` is what its subject verifies tokens with. */
export async function fillWorld(databaseUrl: string, jwtSecret: string, plan: Plan): Promise<World> {
  const { people, channelIds, passwordHash } = plan;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const ids = people.map(({ id }) => id);
    const serverId = v7();
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO users (id, username, display_name, password_hash)
       SELECT id, name, name, $3 FROM unnest($1::uuid[], $2::text[]) AS u (id, name)`,
      [ids, people.map(({ username }) => username), passwordHash],
    );
    await client.query(
      `INSERT INTO sessions (id, user_id, name, expires_at)
       SELECT id, user_id, 'bench', now() + interval '1 day' FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)`,
      [people.map(({ sessionId }) => sessionId), ids],
    );
    await client.query("INSERT INTO servers (id, name, owner_id) VALUES ($1, 'bench', $2)", [serverId, ids[0]]);
    await client.query("INSERT INTO server_members (server_id, user_id) SELECT $1, unnest($2::uuid[])", [
      serverId,
      ids,
    ]);
    await client.query(
      "INSERT INTO roles (id, server_id, name, permissions, position, is_default) VALUES ($1, $2, 'everyone', $3, 0, true)",
      [v7(), serverId, String(DEFAULT_PERMISSIONS)],
    );
    await client.query(
      `INSERT INTO channels (id, server_id, name, type, position)
       SELECT id, $1, 'bench ' || n, 'text', n FROM unnest($2::uuid[]) WITH ORDINALITY AS c (id, n)`,
      [serverId, channelIds],
    );
    await client.query("COMMIT");
    await client.query("ANALYZE");
  } finally {
    await client.end();
  }
  return {
    people,
    channelIds,
    tokens: (count) =>
      Promise.all(
        people.slice(0, count).map(({ id, sessionId }) => signAccessToken(jwtSecret, id, sessionId, Date.now())),
      ),
  };
}
