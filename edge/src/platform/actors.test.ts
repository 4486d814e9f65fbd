import { expect, test } from "vitest";
import { pgGate, stub } from "./actors.ts";
import type { Env } from "./env.ts";

/** A namespace that notes what is asked of it. */
function namespace() {
  const asked: unknown[] = [];
  const of = {
    idFromName: (name: string) => name,
    get: (id: string, options: unknown) => {
      asked.push([id, options]);
      return { traced: () => "an answer" };
    },
  };
  return { asked, of: of as unknown as Env["PG_GATE"] };
}

test("[CONF4] actors are asked for where the operator wants them; without a wish nothing is said", async () => {
  const { asked, of } = namespace();
  stub({ ACTOR_LOCATION: "weur" }, of, "0");
  stub({ ACTOR_LOCATION: "" }, of, "1");
  stub({}, of, "2");
  expect(await pgGate({ PG_GATE: of, ACTOR_LOCATION: "apac" }).stats()).toBe("an answer");
  expect(asked).toEqual([
    ["0", { locationHint: "weur" }],
    ["1", {}],
    ["2", {}],
    ["pg", { locationHint: "apac" }],
  ]);
});
