import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { findProgram, type ProgramSource } from "./find-program.ts";

const source: ProgramSource = {
  name: "Something",
  neededBy: "These tests",
  variable: "SOMETHING_PATH",
  programs: ["something", "something-else"],
  debianPackage: "something",
};

function folderWith(...programs: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-program-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const program of programs) {
    writeFileSync(join(folder, program), "");
    chmodSync(join(folder, program), 0o755);
  }
  return folder;
}

test("[FP1] a program is found in the PATH by any of its names, the first before the others", async () => {
  const [both, other] = [folderWith("something-else", "something"), folderWith("something-else")];
  vi.stubEnv("PATH", other);
  expect(await findProgram(source, () => undefined)).toBe(join(other, "something-else"));
  vi.stubEnv("PATH", both);
  expect(await findProgram(source, () => undefined)).toBe(join(both, "something"));
});

test("[FP2] what a variable names is taken, and refused when it is no program", async () => {
  const folder = folderWith("mine");
  writeFileSync(join(folder, "text"), "");
  vi.stubEnv("SOMETHING_PATH", join(folder, "mine"));
  expect(await findProgram(source, () => undefined)).toBe(join(folder, "mine"));
  vi.stubEnv("SOMETHING_PATH", join(folder, "text"));
  await expect(findProgram(source, () => undefined)).rejects.toThrow(/^SOMETHING_PATH=.* is not a program/);
});
