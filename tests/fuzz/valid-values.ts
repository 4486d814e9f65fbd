import fc from "fast-check";
import * as v from "valibot";

/** Real values by the brand of their schema (`UserId`, `ChannelId`, …) or, for one that has none, by the key they stand under (`code`). */
export type IdPool = Readonly<Record<string, readonly string[]>>;

interface Node {
  readonly kind: string;
  readonly type: string;
  readonly pipe?: readonly Node[];
  readonly name?: string;
  readonly requirement?: unknown;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly key?: Node;
  readonly value?: Node;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
}

/** Of a pipe whose first part is a pipe, the actions of both. */
function actionsOf({ pipe = [] }: Node): readonly Node[] {
  const [first, ...actions] = pipe;
  return first === undefined ? [] : [...actionsOf(first), ...actions];
}

/** The number that an action of a pipe (`min_length`, `max_value`, …) asks for. */
function bound(schema: Node, ...types: readonly string[]): number | undefined {
  const found = actionsOf(schema).find(({ type }) => types.includes(type))?.requirement;
  return typeof found === "number" ? found : undefined;
}

/** Bytes as base64; what begins with a certain byte is asked for by a regular expression. */
function base64(schema: Node): fc.Arbitrary<string> {
  const [min = 0, max = 200] = [bound(schema, "min_length"), bound(schema, "max_length")];
  const expression = actionsOf(schema).find(({ type }) => type === "regex")?.requirement;
  const start = expression instanceof RegExp ? fc.stringMatching(expression) : fc.constant("");
  const bytes = (length: number) => fc.uint8Array({ minLength: Math.max(0, length - 2), maxLength: length });
  return fc
    .tuple(start, fc.oneof(bytes((min / 4) * 3), bytes((Math.min(max, min + 40) / 4) * 3)))
    .map(([prefix, body]) => prefix + Buffer.from(body).toString("base64").slice(prefix.length));
}

function strings(schema: Node, ids: IdPool, name: string): fc.Arbitrary<unknown> {
  const actions = actionsOf(schema);
  const brand = actions.find(({ type }) => type === "brand")?.name;
  const pool = ids[brand ?? name];
  const asNumber = actions.some(({ type }) => type === "transform");
  if (asNumber) {
    const [min = 0, max = Number.MAX_SAFE_INTEGER] = [bound(schema, "min_value"), bound(schema, "max_value")];
    return fc.oneof(fc.integer({ min, max: Math.min(max, min + 200) }), fc.constant(max)).map(String);
  }
  if (actions.some(({ type }) => type === "email")) return fc.emailAddress();
  const expression = actions.find(({ type }) => type === "regex")?.requirement;
  const exact = bound(schema, "length");
  const minLength = exact ?? bound(schema, "min_length") ?? 0;
  const maxLength = exact ?? bound(schema, "max_length", "max_bytes") ?? 200;
  const free = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 40), unit: "grapheme" }),
    },
    { weight: 1, arbitrary: fc.constant("x".repeat(maxLength)) },
  );
  // A character class by property (\p{…}) is beyond `stringMatching`: such text is made free and sifted.
  const made = actions.some(({ type }) => type === "base64")
    ? base64(schema)
    : expression instanceof RegExp && !expression.source.includes(String.raw`\p`)
      ? fc
          .stringMatching(new RegExp(expression.source))
          .map((text) => (exact === undefined ? text : text.slice(0, exact).padEnd(exact, "0")))
      : free;
  if (pool === undefined || pool.length === 0) return made;
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...pool) },
    { weight: 1, arbitrary: brand === undefined ? made : fc.uuid() },
  );
}

function unsifted(schema: Node, ids: IdPool, name: string): fc.Arbitrary<unknown> {
  const inner = (node: Node | undefined): fc.Arbitrary<unknown> => {
    if (node === undefined) throw new Error(`${schema.type} without what it holds`);
    return validFor(node as unknown as v.GenericSchema, ids, name);
  };
  switch (schema.type) {
    case "string":
      return strings(schema, ids, name);
    case "number": {
      const [min = 0, max = 1_000_000] = [bound(schema, "min_value"), bound(schema, "max_value")];
      return fc.oneof(fc.integer({ min, max: Math.min(max, min + 50) }), fc.constant(min), fc.constant(max));
    }
    case "boolean":
      return fc.boolean();
    case "literal":
      return fc.constant(schema.literal);
    case "picklist":
      return fc.constantFrom(...(schema.options ?? []));
    case "unknown":
      return fc.jsonValue({ maxDepth: 3 });
    case "optional":
      return fc.oneof(inner(schema.wrapped), fc.constant(undefined));
    case "nullable":
      return fc.oneof({ weight: 3, arbitrary: inner(schema.wrapped) }, { weight: 1, arbitrary: fc.constant(null) });
    case "array":
      return fc.array(inner(schema.item), { maxLength: 4 });
    case "record":
      return fc.dictionary(inner(schema.key) as fc.Arbitrary<string>, inner(schema.value), { maxKeys: 4 });
    case "union":
    case "variant":
      return fc.oneof(...(schema.options ?? []).map((option) => inner(option as Node)));
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.entries ?? {}).map(([key, entry]) => [
            key,
            validFor(entry as unknown as v.GenericSchema, ids, key),
          ]),
        ),
      );
    case "null":
      return fc.constant(null);
    default:
      // A new kind of schema in the contract must be taught here, or it would go untested.
      throw new Error(`no values are made yet for a schema of type ${schema.type}`);
  }
}

/** Values that a schema of the contract accepts. `name` is the key they stand under. */
export function validFor(schema: v.GenericSchema, ids: IdPool, name = ""): fc.Arbitrary<unknown> {
  return unsifted(schema as unknown as Node, ids, name).filter((value) => v.is(schema, value));
}
