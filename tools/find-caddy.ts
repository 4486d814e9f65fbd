import { debianCopy, findProgram, type Log } from "./find-program.ts";

/** The path of a Caddy, which is downloaded if need be. */
export async function findCaddy(log: Log = () => undefined): Promise<string> {
  const copy = debianCopy("caddy", "caddy");
  return await findProgram(
    { name: "Caddy", neededBy: "The tests of the front", variable: "CADDY_BIN", programs: ["caddy"], copy },
    log,
  );
}
