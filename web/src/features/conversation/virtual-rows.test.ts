import { expect, test } from "vitest";
import { rowsToDraw } from "./virtual-rows.ts";

const range = { startIndex: 80, endIndex: 99, overscan: 8, count: 100 };

/** Draws until nothing is lacking; answers what came with each frame. */
function frames(start: ReadonlySet<number>, fromEnd: boolean, room = 6): number[][] {
  const drawn = new Set(start);
  const came: number[][] = [];
  for (;;) {
    const { now, wanted } = rowsToDraw(range, { isDrawn: (index) => drawn.has(index), room, fromEnd, pinned: [3] });
    came.push(now.filter((index) => !drawn.has(index)));
    for (const index of now) drawn.add(index);
    if (now.length === wanted) return came;
  }
}

test("[CV9] a screen of new rows comes in several frames, the nearest to the reader first, until nothing is lacking", () => {
  const atEnd = frames(new Set([3]), true);
  expect(atEnd.every((came) => came.length <= 6)).toBe(true);
  expect(atEnd[0]).toEqual([94, 95, 96, 97, 98, 99]);
  // What is in view comes before what is beside it.
  expect(
    atEnd
      .slice(0, 3)
      .flat()
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 18 }, (_, at) => 82 + at));
  expect(atEnd.flat().length).toBe(28);
  expect(frames(new Set([3]), false)[0]).toEqual([80, 81, 82, 83, 84, 85]);
});

test("[CV9] rows that are drawn stay, and so does the one with the focus, however little room there is", () => {
  const { now, wanted } = rowsToDraw(range, { isDrawn: (index) => index >= 90, room: -2, fromEnd: true, pinned: [3] });
  expect(now).toEqual([3, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  expect(wanted).toBe(29);
});
