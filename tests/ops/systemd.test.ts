import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findProgram } from "../../tools/find-program.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { runTool } from "./kit/tool.ts";

const folder = join(rootFolder, "ops", "systemd");
const units = readdirSync(folder).filter((name) => /\.(service|timer)$/.test(name));
const services = units.filter((name) => name.endsWith(".service"));
/** Of 10, as `systemd-analyze security` counts: below 2 it is "OK", and nothing that can be given away is kept. */
const mostExposure = 1.7;

async function analyze(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const source = { name: "systemd", neededBy: "The tests of the units", variable: "SYSTEMD_ANALYZE_BIN" };
  const program = await findProgram({ ...source, programs: ["systemd-analyze"], debianPackage: "systemd" }, (line) =>
    console.log(line),
  );
  return new Promise((resolve) => {
    execFile(program, ["--no-pager", ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
    );
  });
}

test("[SY1] systemd finds nothing wrong with the units, and finds what is", async () => {
  const files = units.map((name) => join(folder, name));
  expect(files.length).toBe(4);
  expect(await analyze("verify", ...files)).toEqual({ code: 0, output: "" });
  const broken = mkdtempSync(join(tmpdir(), "lescopains-units-"));
  onTestFinished(() => rmSync(broken, { recursive: true, force: true }));
  cpSync(folder, broken, { recursive: true });
  const path = join(broken, "lescopains.service");
  writeFileSync(path, readFileSync(path, "utf8").replace("KillMode=mixed", "KillMood=mixed"));
  expect((await analyze("verify", path)).output).toContain("KillMood");
});

test.each(services)("[SY2] %s keeps no more rights than it needs", async (name) => {
  const { output } = await analyze("security", "--offline=true", join(folder, name));
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
  expect(exposure).toBeGreaterThan(0);
  expect(exposure).toBeLessThan(mostExposure);
  const text = readFileSync(join(folder, name), "utf8");
  expect(text).toMatch(/^User=lescopains$/m);
  expect(text).not.toMatch(/^(Environment|ExecStart)=.*(SECRET|PASSPHRASE|TOKEN|PASSWORD)=(?!%d)/m);
});

test("[SY3] what the units run is a command that there is", async () => {
  const { scripts } = JSON.parse(readFileSync(join(rootFolder, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const name of services) {
    const line = /^ExecStart=\/usr\/bin\/env node \/opt\/lescopains\/(tools\/run\.mjs ([a-z-]+))/m.exec(
      readFileSync(join(folder, name), "utf8"),
    );
    expect(scripts[line?.[2] ?? ""], name).toBe(`node ${line?.[1]}`);
  }
  // The node alone says what it lacks; that it works is what every other test of voice shows.
  const env = { SFU_EDGE_KEYS: "", SFU_REGISTRY_URL: "", SFU_SECRET: "" };
  const alone = await runTool("voice-node", [], env);
  expect(alone).toEqual({ code: 1, output: expect.stringContaining("SFU_EDGE_KEYS") });
});
