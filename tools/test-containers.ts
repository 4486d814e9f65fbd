/** `npm run test:containers [-- <filter> …]`: docker-compose.yml and ops/upgrade.sh with a real Docker engine, as root (it kills containers). */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseCLI, startVitest } from "vitest/node";
import { runCommand } from "./command.ts";
import { OperatorError } from "./operator-error.ts";
import { rootFolder } from "./stack/root.ts";

await runCommand(async (stop) => {
  if (spawnSync("docker", ["info"], { stdio: "ignore" }).status !== 0)
    throw new OperatorError(
      "Docker does not answer: install its engine with compose, start it, and look at DOCKER_HOST",
    );
  const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
  const config = join(rootFolder, "vitest.containers.config.ts");
  const vitest = await startVitest("test", filter, { ...options, root: rootFolder, config, watch: false });
  stop.addEventListener("abort", () => void vitest.cancelCurrentRun("keyboard-input"), { once: true });
  await vitest.close();
  return vitest.state.getCountOfFailedTests() > 0 || process.exitCode === 1 ? 1 : 0;
});
