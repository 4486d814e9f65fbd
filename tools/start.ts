/** `npm start`: a whole LesCopains on this machine, until it is stopped. */
import { join } from "node:path";
import { aborted, runCommand } from "./command.ts";
import { OperatorError } from "./operator-error.ts";
import { operatorLink } from "./stack/operator-link.ts";
import { rootFolder } from "./stack/root.ts";
import { sfuSettings } from "./stack/sfu.ts";
import { startStack } from "./stack/stack.ts";
import { environmentBindings } from "./stack/workerd-config.ts";

const defaultPort = 8787;
const defaultSfuPort = 40_000;

/** An environment variable; one that is set to nothing counts as unset. */
function setting(name: string): string | undefined {
  const value = process.env[name]?.trim();
  return value === "" ? undefined : value;
}

function portSetting(name: "PORT" | "SFU_PORT", otherwise: number): number {
  const text = setting(name);
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new OperatorError(`${name}=${text} is not a port: use a number from 1 to 65535`);
  return port;
}

/** What the person set for the SFU node. */
function nodeSettings(): Record<string, string> {
  const all = [...sfuSettings, "METRICS_TOKEN", "LOG_LEVEL"].map((name) => [name, setting(name) ?? ""] as const);
  return Object.fromEntries(all);
}

/** What the stack itself gives the worker. */
const ownWays = new Set<string>(["DATABASE_URL", "SFU_SIGNING_KEY", "SFU_SECRET"]);

/** What the person set for the worker. */
function workerSettings(): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const name of environmentBindings) {
    const value = setting(name);
    if (!ownWays.has(name) && value !== undefined) settings[name] = value;
  }
  return settings;
}

/** The address to open in a browser on this machine. */
function browserUrl(host: string, port: number): string {
  const local = ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "*"].includes(host);
  return `http://${local ? "localhost" : host}:${port}`;
}

await runCommand(async (stop) => {
  const crash = Promise.withResolvers<string>();
  const host = setting("HOST") ?? "127.0.0.1";
  const databaseUrl = setting("DATABASE_URL");
  const stack = await startStack({
    dataDir: setting("DATA_DIR") ?? join(rootFolder, ".data"),
    port: portSetting("PORT", defaultPort),
    sfuPort: portSetting("SFU_PORT", defaultSfuPort),
    sfuEnv: nodeSettings(),
    host,
    env: workerSettings(),
    log: (line) => console.log(line),
    onCrash: crash.resolve,
    signal: stop,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  const page = await fetch(`${stack.url}/`);
  if (!page.ok) {
    await stack.stop();
    throw new OperatorError(
      `The web client is not served (/ answers ${page.status}): see ${join(stack.dataDir, "logs", "workerd.log")}`,
    );
  }
  const url = browserUrl(host, stack.port);
  const link = await operatorLink(stack.databaseUrl);
  // Of all that is written, only this terminal shows it.
  if (link !== undefined) console.log(`Nobody runs this place yet. To be its operator, open ${url}${link}`);
  console.log(`LesCopains is ready at ${url}`);

  const crashed = await Promise.race([crash.promise, aborted(stop)]);
  if (crashed === undefined) console.log("Stopping …");
  else console.error(crashed);
  await stack.stop();
  return crashed === undefined ? 0 : 1;
});
