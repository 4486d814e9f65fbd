/**
 * The one-shot `migrate` of docker-compose.yml: brings the database to the schema of this image. `migrate <version>` stops at an
 * earlier one.
 */
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { OperatorError } from "../operator-error.ts";
import { migrate } from "../stack/migrate.ts";

await runCommand(async () => {
  const connectionString = process.env["DATABASE_URL"];
  if (connectionString === undefined) throw new OperatorError("DATABASE_URL is not set");
  const directory = join(import.meta.dirname, "migrations");
  const [, , argument] = process.argv;
  const upTo = argument === undefined ? undefined : Number(argument);
  if (upTo !== undefined && !Number.isInteger(upTo)) throw new OperatorError(`${argument} is no version: use a number`);
  const { applied, version } = await migrate({ connectionString, directory, ...(upTo === undefined ? {} : { upTo }) });
  console.log(
    applied.length === 0 ? `The database is at version ${version}` : `Migrated the database: ${applied.join(", ")}`,
  );
  return 0;
});
