import { expect, test } from "vitest";
import { type Destination, search } from "./search.ts";

function destination(name: string, unread = false): Destination {
  return { id: name, name, kind: "text", path: `/${name}`, unread };
}

const all = ["Été à la mer", "film night", "La mer", "general", "métro"].map((name) => destination(name));
const names = (query: string) => search(all, query, 3).map(({ name }) => name);

test("the beginning of a name counts more than a word in it, that more than the middle, that more than scattered letters", () => {
  expect(names("mer")).toEqual(["La mer", "Été à la mer", "métro"]);
  expect(names("la")).toEqual(["La mer", "Été à la mer"]);
  expect(names("gnl")).toEqual(["general"]);
});

test("accents and case don't matter", () => {
  expect(names("ETE")).toEqual(["Été à la mer"]);
  expect(names("metro")).toEqual(["métro"]);
});

test("with nothing typed, what is unread comes first, and the list is bounded", () => {
  const list = search([...all, destination("new", true)], " ", 2);
  expect(list.map(({ name }) => name)).toEqual(["new", "Été à la mer"]);
});
