import { describe, expect, test } from "vitest";

import { Rooms } from "./rooms.ts";

describe("rooms", () => {
  test("[IO52] members come and go, and names of prototypes are ordinary names", () => {
    const rooms = new Rooms<string>();
    rooms.add("__proto__", "ada");
    rooms.add("__proto__", "ada");
    rooms.add("__proto__", "bob");
    expect([...rooms.in("__proto__")]).toEqual(["ada", "bob"]);
    rooms.remove("__proto__", "ada");
    rooms.remove("__proto__", "nobody");
    rooms.remove("nowhere", "ada");
    expect([...rooms.in("__proto__")]).toEqual(["bob"]);
    expect([...rooms.in("toString")]).toEqual([]);
  });

  test("[IO76] a member may leave while the room is walked through", () => {
    const rooms = new Rooms<string>();
    for (const name of ["ada", "bob", "eve"]) rooms.add("a", name);
    const seen: string[] = [];
    for (const name of rooms.in("a")) {
      seen.push(name);
      rooms.remove("a", name);
    }
    expect(seen).toEqual(["ada", "bob", "eve"]);
    expect([...rooms.in("a")]).toEqual([]);
  });
});
