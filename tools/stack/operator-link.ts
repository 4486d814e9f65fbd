import { createHash, randomBytes } from "node:crypto";
import { Client } from "pg";

/**
 * While nobody runs the instance, makes the one-time secret of the link whose opener does, in place of the one before; its hash alone is stored.
 * The answer is the link's path, or undefined when there is an operator. The secret stands behind the `#`, which browsers send nowhere.
 * Whoever starts the instance shows it to the person who started it, and nobody else. The database is at the code's schema.
 */
export async function operatorLink(connectionString: string): Promise<string | undefined> {
  const secret = randomBytes(32).toString("base64url");
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "UPDATE instance SET claim_hash = $1 WHERE NOT EXISTS (SELECT FROM users WHERE operator)",
      [createHash("sha256").update(secret).digest()],
    );
    return rowCount === 0 ? undefined : `/operator/claim#${secret}`;
  } finally {
    await client.end();
  }
}
