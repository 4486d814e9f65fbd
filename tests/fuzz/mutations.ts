import fc from "fast-check";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const LONG = "A".repeat(100_000);

function nested(depth: number, open: string, close: string): string {
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

/** JSON texts of what nobody should send in a place where something else belongs. */
const HOSTILE: readonly string[] = [
  "null",
  "true",
  "0",
  "-1",
  "1.5",
  "1e308",
  "1e999",
  "-0",
  "9007199254740993",
  "123456789012345678901234567890",
  '""',
  '" "',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00 tail"',
  '"\\u202egnp.exe"',
  '"\\ufeff"',
  '"👩‍👩‍👧‍👦\\u0301\\u0301\\u0301"',
  '"\'; DROP TABLE users; --"',
  '"%00%2e%2e%2f"',
  '"../../etc/passwd"',
  '"{\\"$ne\\":null}"',
  '"__proto__"',
  '"constructor"',
  '"00000000-0000-0000-0000-000000000000"',
  '"NaN"',
  `"${LONG.slice(0, 5_000)}"`,
  `"${LONG.slice(0, 40_000)}"`,
  "[]",
  "{}",
  "[[]]",
  "[null]",
  '{"length":1}',
  '{"toString":1,"valueOf":1,"toJSON":1}',
  '{"__proto__":{"administrator":true}}',
  '{"constructor":{"prototype":{"administrator":true}}}',
  nested(500, "[", "]"),
  nested(3_000, "[", "]"),
  nested(1_000, '{"a":', "}"),
];

/** Texts that are no JSON, or no JSON object, as a whole body. */
const BROKEN: readonly (string | Buffer)[] = [
  "",
  " ",
  "{",
  "}",
  '{"a":}',
  "{'a':1}",
  "undefined",
  "NaN",
  '{"a":1}{"b":2}',
  "[",
  "[]",
  "[{}]",
  "null",
  "1",
  '"text"',
  "true",
  nested(20_000, "[", "]"),
  "[".repeat(30_000),
  '{"a":'.repeat(10_000),
  "\u0000",
  "\ufeff{}",
  Buffer.from([0xff, 0xfe, 0x00, 0x01]),
  Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from('{"a":1}', "utf16le"),
  "a=1&b=2",
  "<a/>",
];

/** Places of a JSON value, as paths of keys; the whole value is not one of them. */
function places(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [...keys].flatMap((key) => {
    const here = [...path, key];
    return [here, ...places((value as Record<string | number, Json>)[key] as Json, here)];
  });
}

const MARK = "ffffffff-the-place-ffffffff";

function withMark(value: Json, [key, ...rest]: readonly (string | number)[]): Json {
  if (key === undefined) return MARK;
  const copy = structuredClone(value) as Record<string | number, Json>;
  copy[key] = withMark(copy[key] as Json, rest);
  return copy;
}

function without(value: Json, [key, ...rest]: readonly (string | number)[]): Json {
  const copy = structuredClone(value) as Record<string | number, Json>;
  if (key === undefined) return copy;
  if (rest.length > 0) copy[key] = without(copy[key] as Json, rest);
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

const EXTRA = `"__proto__":{"administrator":true},"constructor":{"prototype":{"id":1}},"id":"0","userId":"0","isAdmin":true,"authorId":"x"`;

function mutate(value: Json, where: number, hostile: string, how: "replace" | "remove" | "extra" | "double"): string {
  const text = JSON.stringify(value);
  const found = places(value);
  const path = found[where % Math.max(1, found.length)];
  if (how === "extra" && text.startsWith("{")) return text === "{}" ? `{${EXTRA}}` : `{${EXTRA},${text.slice(1)}`;
  if (path === undefined) return hostile;
  if (how === "remove") return JSON.stringify(without(value, path));
  const replaced = JSON.stringify(withMark(value, path)).replace(JSON.stringify(MARK), () => hostile);
  // The same keys twice: the last ones count, wherever they are read.
  return how === "double" && text !== "{}" ? `{${text.slice(1, -1)},${replaced.slice(1)}` : replaced;
}

/** JSON texts that are valid values (a third of them), or valid values with one thing wrong. */
export function jsonTexts(valid: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const values = valid.map((value) => JSON.parse(JSON.stringify(value ?? {})) as Json);
  return fc.oneof(
    { weight: 1, arbitrary: values.map((value) => JSON.stringify(value)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          values,
          fc.nat(1_000),
          fc.constantFrom(...HOSTILE),
          fc.constantFrom("replace", "replace", "replace", "remove", "extra", "double"),
        )
        .map(([value, where, hostile, how]) => mutate(value, where, hostile, how)),
    },
  );
}

/** What is tried in every place of every body, whatever chance picks elsewhere. */
const SHARP = ['"\\u0000"', '"\\ud800"', "null", "[]", "{}", "-1", "1e999", '"__proto__"'] as const;

/** A few valid values, each with one place after the other taken by something hostile. */
export function everyPlace(valid: fc.Arbitrary<unknown>, seed: number): string[] {
  const values = fc.sample(valid, { seed, numRuns: 4 }).map((value) => JSON.parse(JSON.stringify(value ?? {})) as Json);
  const texts = values.flatMap((value) =>
    places(value).flatMap((path) =>
      SHARP.map((hostile) => JSON.stringify(withMark(value, path)).replace(JSON.stringify(MARK), () => hostile)),
    ),
  );
  return [...new Set(texts)].slice(0, 200);
}

/** Whole bodies: mostly `jsonTexts`, some that are broken altogether. */
export function bodies(valid: fc.Arbitrary<unknown>): fc.Arbitrary<string | Buffer> {
  return fc.oneof({ weight: 4, arbitrary: jsonTexts(valid) }, { weight: 1, arbitrary: fc.constantFrom(...BROKEN) });
}

/** Text for a path segment or a query value. */
export const hostileWords: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    "@me",
    "me",
    "0",
    "-1",
    "1e3",
    "null",
    "undefined",
    "__proto__",
    "..",
    "../../health",
    "%",
    "%00",
    "\u0000",
    "\ud800",
    "é".repeat(200),
    "x".repeat(3_000),
    "00000000-0000-0000-0000-000000000000",
    "A0000000-0000-7000-8000-00000000000A",
    "a' OR 1=1 --",
    "1,2",
    "[]",
  ),
  fc.string({ maxLength: 40, unit: "binary" }),
  fc.uuid(),
);
