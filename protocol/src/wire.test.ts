import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { WIRE } from "./wire.ts";

/**
 * A schema as text: kinds, entries, requirements and the source of checks, in a stable order.
 * Functions that Valibot adds to every schema are left out, so that an update of it does not change the wire.
 */
function describeSchema(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof RegExp) return String(value);
  if (Array.isArray(value)) return value.map(describeSchema);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(
      ([key]) =>
        !key.startsWith("~") &&
        key !== "async" &&
        key !== "reference" &&
        key !== "expects" &&
        key !== "message" &&
        key !== "summary",
    )
    .map(([key, entry]): [string, unknown] => [key, typeof entry === "function" ? "function" : describeSchema(entry)])
    .filter(([, entry]) => entry !== "function")
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

test("[WIRE1] the wire changes only on purpose: a change of schemas changes this hash", () => {
  const hash = createHash("sha256")
    .update(JSON.stringify(describeSchema(WIRE)))
    .digest("hex");
  expect(hash).toBe("f74fe7dc74e09a0279e3f0844f38e859ae5c138f9407eee4c341b426b2c700ce");
});
