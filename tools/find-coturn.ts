import { findProgram, type Log } from "./find-program.ts";

/** The path of coturn's server, which is installed if need be. */
export async function findCoturn(log: Log = () => undefined): Promise<string> {
  return await findProgram(
    {
      name: "coturn",
      neededBy: "The tests of relayed calls",
      variable: "TURNSERVER_BIN",
      programs: ["turnserver"],
      debianPackage: "coturn",
      debianService: "coturn",
    },
    log,
  );
}
