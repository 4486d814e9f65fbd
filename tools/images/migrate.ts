/**
 * The one-shot `migrate` of docker-compose.yml: brings the database to the schema of this image, and shows the first
 * operator's link while there is none. `migrate <version>` stops at an
 * earlier one.
 */
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { OperatorError } from "../operator-error.ts";
import { migrate } from "../stack/migrate.ts";
import { operatorLink } from "../stack/operator-link.ts";
import { publicUrl } from "./public-url.ts";

await runCommand(async () => {
  const connectionString = process.env["DATABASE_URL"];
  if (connectionString === undefined) throw new OperatorError("DATABASE_URL is not set");
  const directory = join(import.meta.dirname, "migrations");
  const [, , argument] = process.argv;
  const upTo = argument === undefined ? undefined : Number(argument);
  if (upTo !== undefined && !Number.isInteger(upTo)) throw new OperatorError(`${argument} is no version: use a number`);
  // A file that fails is told in one line: which, where, and PostgreSQL's words.
  const { applied, version } = await migrate({
    connectionString,
    directory,
    ...(upTo === undefined ? {} : { upTo }),
  }).catch((cause: unknown) => {
    throw new OperatorError(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  console.log(
    applied.length === 0 ? `The database is at version ${version}` : `Migrated the database: ${applied.join(", ")}`,
  );
  const link = upTo === undefined ? await operatorLink(connectionString) : undefined;
  if (link !== undefined)
    console.log(`Nobody runs this instance yet: ${publicUrl(link).href} makes you its operator, once`);
  return 0;
});
