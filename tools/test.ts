/**
 * `npm test [-- <filter> …]`: every test, or those whose file names match a filter. Ends with the line `N passed, N failed`.
 */
import { createVitest, parseCLI } from "vitest/node";
import type { TestModule } from "vitest/node";
import { findWorker } from "../sfu-node/worker-build/worker.ts";
import { findChromium } from "./chromium.ts";
import { runCommand } from "./command.ts";
import { findCaddy } from "./find-caddy.ts";
import { findPrometheus } from "./find-prometheus.ts";
import { findFirefox } from "./firefox.ts";
import { OperatorError } from "./operator-error.ts";
import { buildEdge, buildWeb } from "./stack/build.ts";
import { rootFolder } from "./stack/root.ts";

const log = (line: string): void => console.log(line);

/** Projects whose tests run the product, and so need it built. */
const withProduct = new Set(["flows", "flows-wrangler", "faults", "tools", "ops", "browser", "proof", "calls"]);
/** Projects that open pages. */
const withChromium = new Set(["browser", "proof", "sfu", "ops", "calls"]);
const withCaddy = new Set(["ops", "calls"]);
const withFirefox = new Set(["browser", "proof", "calls"]);

interface Count {
  passed: number;
  failed: number;
}

/** Passed and failed tests; a file that could not be loaded, or an error outside of tests, counts as one that failed. */
function countResults(modules: readonly TestModule[], unhandledErrors: number): Count {
  const count: Count = { passed: 0, failed: unhandledErrors };
  for (const module of modules) {
    const before = count.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") count.passed += 1;
      if (state === "failed") count.failed += 1;
    }
    if (count.failed === before && !module.ok()) count.failed += 1;
  }
  return count;
}

await runCommand(async (stop) => {
  const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
  // Asked for by name, it is all of them; among everything else, some (vitest.config.ts).
  if (options.project?.includes("flows-wrangler") === true) process.env["FLOWS_ON_WRANGLER"] = "all";
  const vitest = await createVitest({ ...options, root: rootFolder, watch: false });
  stop.addEventListener("abort", () => void vitest.cancelCurrentRun("keyboard-input"), { once: true });
  try {
    const specifications = await vitest.globTestSpecifications(filter);
    if (specifications.length === 0) throw new OperatorError(`No test file matches ${filter.join(" ")}`);
    const projects = new Set(specifications.map(({ project }) => project.name));
    if (!projects.isDisjointFrom(withChromium)) process.env["CHROMIUM_PATH"] = await findChromium(log);
    if (!projects.isDisjointFrom(withFirefox)) process.env["FIREFOX_PATH"] = await findFirefox(log);
    if (!projects.isDisjointFrom(withCaddy)) process.env["CADDY_BIN"] = await findCaddy(log);
    if (projects.has("ops")) {
      for (const program of ["PROMTOOL_BIN", "NODE_EXPORTER_BIN", "BLACKBOX_EXPORTER_BIN"] as const)
        process.env[program] = await findPrometheus(program, log);
    }
    if (projects.has("sfu")) process.env["MEDIASOUP_WORKER_BIN"] = await findWorker({ log, signal: stop });
    if (!projects.isDisjointFrom(withProduct)) {
      await buildEdge(log);
      await buildWeb(log);
    }
    stop.throwIfAborted();
    const { testModules, unhandledErrors } = await vitest.start(filter);
    const { passed, failed } = countResults(testModules, unhandledErrors.length);
    await vitest.close();
    console.log(`${passed} passed, ${failed} failed`);
    return passed === 0 || failed > 0 || stop.aborted ? 1 : 0;
  } finally {
    await vitest.close();
  }
});
