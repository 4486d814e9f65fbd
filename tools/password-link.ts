/**
 * `npm run password-link -- <username>`: for who runs the machine, a link by which somebody sets a new password, an operator too. It is what the
 * operators' page makes for everybody else, and voids the link before. Nothing writes it to a log, and the account's owner sees that it was made.
 */
import { createHash, randomBytes } from "node:crypto";
import { Client, DatabaseError } from "pg";
import { dataFolder, withDatabase } from "./backup/place.ts";
import { runCommand } from "./command.ts";
import { findInstallation } from "./doctor/installation.ts";
import { OperatorError } from "./operator-error.ts";

const usage = "Say whose: npm run password-link -- <username>";

/** PostgreSQL knows no such table, or no such column. */
const olderSchema = new Set(["42P01", "42703"]);

/** The name as it is written, and the link's path. */
async function makeLink(connectionString: string, username: string): Promise<{ name: string; path: string }> {
  const secret = randomBytes(32).toString("base64url");
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ username: string }>(
      `UPDATE users SET password_link_hash = $1, password_link_made_at = now(), password_link_used_at = NULL
       WHERE username_key = lower($2) AND disabled_at IS NULL RETURNING username`,
      [createHash("sha256").update(secret).digest(), username],
    );
    const [made] = rows;
    if (made === undefined) throw new OperatorError(`There is no account ${username}, or it is disabled`);
    return { name: made.username, path: `/reset#${secret}` };
  } catch (cause) {
    if (!(cause instanceof DatabaseError) || !olderSchema.has(cause.code ?? "")) throw cause;
    throw new OperatorError("The database is older than this LesCopains: start it first", { cause });
  } finally {
    await client.end();
  }
}

await runCommand(async () => {
  const [, , username, ...more] = process.argv;
  if (username === undefined || username.startsWith("-") || more.length > 0) throw new OperatorError(usage);
  const { url } = findInstallation(
    undefined,
    `LESCOPAINS_URL=https://example.org npm run password-link -- ${username}`,
  );
  const { name, path } = await withDatabase(dataFolder(), { alone: false }, (connectionString) =>
    makeLink(connectionString, username),
  );
  console.log(`${new URL(path, url).href} sets a new password for ${name}, once, within 24 hours`);
  return 0;
});
