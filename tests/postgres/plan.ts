import { escapeIdentifier, escapeLiteral, type PoolClient } from "pg";
import type { Statement } from "../../edge/src/db/port.ts";

/** What a node of `EXPLAIN (ANALYZE, FORMAT JSON)` says, as far as it is judged. */
interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly PlanNode[];
}

export interface Judged {
  /** Tables that were read from end to end. */
  readonly sequential: readonly string[];
  /** Rows that the largest sort took in. */
  readonly sorted: number;
  /** Rows that were fetched from tables and indexes, kept or not. */
  readonly examined: number;
  /** The plan, one indented line for each node: for the message of a failed test. */
  readonly outline: string;
}

/** What the statements take: nothing else is bound to a parameter. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly (string | number | boolean | null | Uint8Array)[];

function plain(value: string | number | boolean | Uint8Array): string {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : String(value);
}

function literal(value: Value): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array || typeof value !== "object") return escapeLiteral(plain(value));
  const elements = value.map((one) => (one === null ? "NULL" : JSON.stringify(plain(one))));
  return escapeLiteral(`{${elements.join(",")}}`);
}

function* nodesOf(node: PlanNode, depth = 0): Generator<[PlanNode, number]> {
  yield [node, depth];
  for (const child of node.Plans ?? []) yield* nodesOf(child, depth + 1);
}

function judge(plan: PlanNode): Judged {
  const sequential: string[] = [];
  const outline: string[] = [];
  let sorted = 0;
  let examined = 0;
  for (const [node, depth] of nodesOf(plan)) {
    const type = node["Node Type"];
    const table = node["Relation Name"];
    const rows = (one: PlanNode): number => one["Actual Rows"] * one["Actual Loops"];
    const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
    outline.push(
      `${"  ".repeat(depth)}${type} ${table ?? ""} ${node["Index Name"] ?? ""} rows=${rows(node)} removed=${removed}`,
    );
    if (type === "Seq Scan" && table !== undefined) sequential.push(table);
    if (type === "Sort") sorted = Math.max(sorted, ...(node.Plans ?? []).map(rows));
    // A change of rows (`ModifyTable`) names its table too, and reads nothing itself.
    if (table !== undefined && type !== "ModifyTable") examined += rows(node) + removed * node["Actual Loops"];
  }
  return { sequential, sorted, examined, outline: outline.join("\n") };
}

/**
 * How PostgreSQL runs a prepared statement: with a plan made for these values (`custom`), or with the one for any values
 * (`generic`) that it may settle on after five executions. The statement is run, and what it did undone.
 */
export async function planOf(
  client: PoolClient,
  { name, text }: Statement<readonly unknown[], unknown>,
  values: readonly Value[],
  mode: "custom" | "generic",
): Promise<Judged> {
  const prepared = escapeIdentifier(name);
  await client.query("BEGIN");
  try {
    await client.query(`SET LOCAL plan_cache_mode = force_${mode}_plan`);
    // PostgreSQL's default of 4 is for spinning disks: there, reading a table of 20,000 rows is cheaper than 100 look-ups.
    await client.query("SET LOCAL random_page_cost = 1.1");
    await client.query(`PREPARE ${prepared} AS ${text}`);
    const execute = `EXECUTE ${prepared}${values.length === 0 ? "" : `(${values.map((one) => literal(one)).join(", ")})`}`;
    const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${execute}`,
    );
    const plan = rows[0]?.["QUERY PLAN"][0].Plan;
    if (plan === undefined) throw new Error(`no plan for ${name}`);
    return judge(plan);
  } finally {
    await client.query("ROLLBACK");
    await client.query("DEALLOCATE ALL");
  }
}
