import { expect, test } from "vitest";
import { findEdge, parseWish } from "./wish.ts";

test("[VO27] a node is listed, emptied within a deadline, and taken back", () => {
  expect(parseWish(["list"])).toMatchObject({ verb: "list", node: "" });
  expect(parseWish(["drain", "local"])).toMatchObject({ verb: "drain", node: "local", minutes: 60 });
  expect(parseWish(["drain", "local", "--deadline", "90s"]).minutes).toBe(1.5);
  expect(parseWish(["drain", "--deadline", "2h", "local"]).minutes).toBe(120);
  expect(parseWish(["drain", "local", "--deadline", "0s"]).minutes).toBe(0);
  expect(parseWish(["undrain", "a", "--edge", "https://b"])).toMatchObject({ verb: "undrain", edge: "https://b" });
  expect(parseWish(["renew-secret"])).toMatchObject({ verb: "renew-secret", node: "" });
});

test.each([
  [],
  ["empty", "a"],
  ["drain"],
  ["list", "a"],
  ["drain", "a", "b"],
  ["list", "--all"],
  ["undrain", "a", "--deadline", "1m"],
  ["renew-secret", "a"],
  ["forget-secret", "--edge", "https://b"],
])("[VO27] who asks for something else is told how to ask: %s %s %s %s", (...args) => {
  expect(() => parseWish(args.filter((one) => typeof one === "string"))).toThrow("npm run sfu -- list | drain");
});

test.each(["soon", "30", "-5m", "25h", "1.5h", "", "9999999m"])("[VO27] a deadline is a time: not %s", (deadline) => {
  expect(() => parseWish(["drain", "a", `--deadline=${deadline}`])).toThrow(/^--deadline .*: how long calls may go on/);
});

test("[VO27] another machine's edge needs its secret said", () => {
  expect(() => findEdge("https://b.example", {})).toThrow("set SFU_SECRET");
  expect(() => findEdge("b.example", {})).toThrow("write it as https://");
  expect(findEdge("https://b.example/", { SFU_SECRET: "s" })).toEqual({ url: "https://b.example", secret: "s" });
});
