import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rootFolder } from "./stack/root.ts";

const read = (file: string): string => readFileSync(join(rootFolder, file), "utf8");

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const packageOf = (folder: string) => JSON.parse(read(join(folder, "package.json"))) as Package;
const root = packageOf(".");
const all = [root, ...(root.workspaces ?? []).map((folder) => packageOf(folder))];

function needs(one: Package): [string, string][] {
  return Object.entries({ ...one.dependencies, ...one.devDependencies, ...one.optionalDependencies });
}

test("[REL1] every part has one version and licence, and asks for that version of the others", () => {
  for (const one of all) {
    expect([one.name, one.version, one.license]).toEqual([one.name, root.version, root.license]);
    for (const [name, version] of needs(one).filter(([of]) => of.startsWith("@lescopains/")))
      expect([one.name, name, version]).toEqual([one.name, name, root.version]);
  }
  for (const file of ["docker-compose.yml", "docker-compose.sfu.yml", ".env.example"]) {
    const images = [...read(file).matchAll(/\bVERSION(?::-|=)([^}\s]+)/g)].map(([, version]) => version);
    expect([file, [...new Set(images)]]).toEqual([file, [root.version]]);
  }
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, Package> };
  for (const folder of ["", ...(root.workspaces ?? [])])
    expect([folder, packages[folder]?.version]).toEqual([folder, root.version]);
});

test("[REL2] every dependency is pinned exactly, and to one version in all parts", () => {
  const versions = new Map<string, string>();
  for (const one of all) {
    for (const [name, version] of needs(one)) {
      expect([one.name, name, version]).toEqual([one.name, name, expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
      if (name.startsWith("node-")) continue;
      expect([one.name, name, version]).toEqual([one.name, name, versions.get(name) ?? version]);
      versions.set(name, version);
    }
  }
});

test("[REL3] what Renovate is told about exists", () => {
  const { packageRules } = JSON.parse(read("renovate.json")) as {
    packageRules: { groupName: string; matchPackageNames: string[]; automerge?: boolean }[];
  };
  const known = new Set(all.flatMap((one) => needs(one).map(([name]) => name)));
  // Images, and the one date.
  for (const name of ["node", "postgres", "wrangler compatibility date"]) known.add(name);
  const missing = packageRules
    .flatMap(({ matchPackageNames }) => matchPackageNames)
    .filter(
      (name) => ![...known].some((one) => (name.endsWith("/**") ? one.startsWith(name.slice(0, -2)) : one === name)),
    );
  expect(missing).toEqual([]);
  // What users get is never merged without a person.
  const shipped = new Set(all.filter((one) => one !== root).flatMap((one) => Object.keys(one.dependencies ?? {})));
  const unattended = packageRules.filter(({ automerge }) => automerge).flatMap((rule) => rule.matchPackageNames);
  expect(unattended.length).toBeGreaterThan(0);
  expect(unattended.filter((name) => shipped.has(name))).toEqual([]);
});

test("[REL4] SECURITY.md promises about encryption what the project promises, word for word", () => {
  expect(read("SECURITY.md")).toContain(
    "Implements the Signal Protocol (PQXDH, Double Ratchet with post-quantum ratchet), independent, checked against the official library, not audited.",
  );
});

test("[REL5] the changelog has a place for what comes next", () => {
  expect(read("CHANGELOG.md")).toMatch(/^## Unreleased$/m);
});
