import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OperatorError } from "../operator-error.ts";
import { readArchive, writeArchive as write } from "./archive.ts";
import { fileFor, keepNewest } from "./keep.ts";

const passphrase = "a passphrase of the test";
/** Guesses are cheap here. */
const writeArchive = (path: string, secret: string, fill: Parameters<typeof write>[2]) => write(path, secret, fill, 10);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lescopains-archive-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function readAll(path: string, secret = passphrase) {
  const entries: [string, string][] = [];
  for await (const { name, bytes } of readArchive(path, secret)) entries.push([name, bytes.toString("hex")]);
  return entries;
}

test("[BK4] an archive gives back what was put in; one that was changed or cut anywhere, or another file, is refused", async () => {
  const path = join(folder, "whole");
  const large = randomBytes(200_000);
  const bytes = await writeArchive(path, passphrase, async (add) => {
    await add("a", Buffer.from("first"));
    await add("b", large);
    await add("c", Buffer.alloc(0));
  });
  const file = readFileSync(path);
  expect(file).toHaveLength(bytes);
  expect(await readAll(path)).toEqual([
    ["a", Buffer.from("first").toString("hex")],
    ["b", large.toString("hex")],
    ["c", ""],
  ]);
  const broken = join(folder, "broken");
  const refused = async (content: Buffer): Promise<void> => {
    writeFileSync(broken, content);
    await expect(readAll(broken)).rejects.toThrow(OperatorError);
  };
  for (const at of [60, 400, 70_000, file.length - 1]) {
    const flipped = Buffer.from(file);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await refused(flipped);
  }
  // In the head, after a whole chunk of 64 KiB, and one byte before the end.
  for (const length of [0, 100, file.indexOf("\n---") + 49 + 16 + 65_552, file.length - 1])
    await refused(file.subarray(0, length));
  await refused(Buffer.from("PK\u0003\u0004 some other file"));
  await expect(readAll(path, "another passphrase")).rejects.toThrow("The passphrase does not open");
});

test("[BK3] what fails while it is written leaves no file, and takes no name that is there", async () => {
  const path = join(folder, "failing");
  const failing = writeArchive(path, passphrase, async (add) => {
    await add("a", randomBytes(100_000));
    throw new Error("the database went away");
  });
  await expect(failing).rejects.toThrow("the database went away");
  expect(existsSync(path) || existsSync(`${path}.part`)).toBe(false);
  writeFileSync(`${path}.part`, "of another backup");
  await expect(writeArchive(path, passphrase, (add) => add("a", Buffer.from("b")))).rejects.toThrow("EEXIST");
  expect(readFileSync(`${path}.part`, "utf8")).toBe("of another backup");
});

test("[BK5] a folder keeps its newest backups, and nothing else in it is touched", () => {
  const backups = mkdtempSync(join(folder, "backups-"));
  const named = (day: number): string =>
    fileFor(backups, new Date(`2026-11-0${day}T03:04:05.678Z`)).path.slice(backups.length + 1);
  expect(named(1)).toBe("lescopains-20261101T030405678Z.age");
  const put = (name: string, old = false): void => {
    writeFileSync(join(backups, name), "");
    if (old) utimesSync(join(backups, name), 0, 0);
  };
  for (const day of [3, 1, 4, 2]) put(named(day));
  put(`${named(1)}.part`, true);
  put(`${named(4)}.part`);
  put("lescopains-mine.age", true);
  expect(keepNewest(backups, 2).toSorted()).toEqual([named(1), `${named(1)}.part`, named(2)]);
  expect(readdirSync(backups).toSorted()).toEqual([named(3), named(4), `${named(4)}.part`, "lescopains-mine.age"]);
});
