import { expect, test } from "vitest";
import { sharedQuestion } from "./shared-question.ts";

function setUp() {
  let nowMs = 0;
  const open: PromiseWithResolvers<string>[] = [];
  const ask = sharedQuestion(
    () => {
      open.push(Promise.withResolvers<string>());
      return open.at(-1)?.promise ?? Promise.reject(new Error("nothing is open"));
    },
    1_000,
    () => nowMs,
  );
  return { open, ask, at: (ms: number) => void (nowMs = ms) };
}

test("[OM5] who asks while a question is open, or a second after it was asked, gets its answer; later another is asked", async () => {
  const { open, ask, at } = setUp();
  const answers = Array.from({ length: 100 }, ask);
  at(5_000);
  answers.push(ask());
  expect(open).toHaveLength(1);
  open[0]?.resolve("first");
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["first"]));
  const next = ask();
  expect(open).toHaveLength(2);
  open[1]?.resolve("second");
  expect(await next).toBe("second");
  at(5_999);
  expect(await ask()).toBe("second");
  at(6_000);
  const third = ask();
  expect(open).toHaveLength(3);
  open[2]?.reject(new Error("no"));
  await expect(third).rejects.toThrow("no");
  await expect(ask()).rejects.toThrow("no");
  at(7_000);
  const fourth = ask();
  open[3]?.resolve("fourth");
  expect(await fourth).toBe("fourth");
});
