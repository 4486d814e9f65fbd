import { expect, test } from "vitest";
import { codecs, KEY } from "./records.ts";
import { useUp } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

/** What is kept, without a database. */
function kept(): Pick<Unit, "get" | "put" | "drop"> {
  const values = new Map<string, unknown>();
  return {
    get: async (key) => values.get(key) as never,
    put: (key, _codec, value) => void values.set(key, value),
    drop: (key) => void values.delete(key),
  };
}

test("[EN3] a session that began with a key of last resort begins once, however many began since", async () => {
  const unit = kept();
  unit.put(KEY.lastResort(7), codecs.bases, ["of before"]);
  for (let count = 0; count < 5_000; count += 1) await useUp(unit, 7, `base ${count}`);
  for (const again of ["of before", "base 0", "base 4999"]) {
    await expect(useUp(unit, 7, again)).rejects.toMatchObject({ code: "duplicate_message" });
  }
});

test("[EN3] a one-time Kyber key is gone with its first use", async () => {
  const unit = kept();
  unit.put(KEY.kyber(8), codecs.count, 1);
  await useUp(unit, 8, "base");
  expect(await unit.get(KEY.kyber(8), codecs.count)).toBeUndefined();
});
