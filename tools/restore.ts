/** `npm run restore -- <file> [--replace]`: makes an installation what it was when the backup was taken. It must not run meanwhile. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { check, edgeShowsWithinMs, load } from "./backup/load.ts";
import { passphrase } from "./backup/passphrase.ts";
import { dataFolder, migrationsFolder, withDatabase } from "./backup/place.ts";
import { runCommand } from "./command.ts";
import { OperatorError } from "./operator-error.ts";
import { parseSecrets, replaceSecrets } from "./stack/secrets.ts";

const usage = "Say what from: npm run restore -- <file> [--replace]";

function wish(): { readonly path: string; readonly replace: boolean } {
  let parsed;
  try {
    const options = { replace: { type: "boolean", default: false } } as const;
    parsed = parseArgs({ args: process.argv.slice(2), allowPositionals: true, options });
  } catch (cause) {
    throw new OperatorError(`${cause instanceof Error ? cause.message : String(cause)}. ${usage}`, { cause });
  }
  const [file, ...more] = parsed.positionals;
  if (file === undefined || more.length > 0) throw new OperatorError(usage);
  return { path: resolve(file), replace: parsed.values.replace };
}

/** What actors remember is of the data of before; all of it can be rebuilt. */
function forgetActors(dataDir: string): void {
  const folder = join(dataDir, "actors");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

await runCommand(async () => {
  const { path, replace } = wish();
  const secret = await passphrase(false);
  console.log("Checking the backup …");
  const checked = await check(path, secret);
  const secrets = parseSecrets(checked.secrets);
  if (secrets === undefined) throw new OperatorError(`${path} has no secrets that this LesCopains can use`);
  const dataDir = dataFolder();
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  console.log(`Restoring what was there at ${checked.manifest.takenAt} …`);
  const rows = await withDatabase(dataDir, { alone: true }, (connectionString) =>
    load({
      connectionString,
      migrations: migrationsFolder(),
      path,
      passphrase: secret,
      checked,
      replace,
      // Of the embedded database the folder's lock tells.
      watchMs: process.env["DATABASE_URL"] ? edgeShowsWithinMs : 0,
    }),
  );
  replaceSecrets(dataDir, secrets);
  forgetActors(dataDir);
  console.log(`Restored ${rows} rows and the secrets: start LesCopains`);
  return 0;
});
