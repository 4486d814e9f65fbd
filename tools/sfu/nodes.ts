import { NodeLoad } from "@lescopains/protocol/sfu/registry";
import { NodeId } from "@lescopains/protocol/sfu/token";
import * as v from "valibot";
import { reasonOf, timeoutMs } from "../doctor/installation.ts";
import { OperatorError } from "../operator-error.ts";
import type { Edge, Wish } from "./wish.ts";

const Nodes = v.object({
  nodes: v.array(
    v.object({
      id: NodeId,
      region: v.string(),
      version: v.string(),
      draining: v.boolean(),
      connected: v.boolean(),
      hasFormerSecret: v.optional(v.boolean(), false),
      load: NodeLoad,
    }),
  ),
});
type Node = v.InferOutput<typeof Nodes>["nodes"][number];

/** Asks the edge's route for operators; an OperatorError says what is wrong. */
async function ask({ url, secret }: Edge, path: string, method: "GET" | "POST", stop: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    const headers = { authorization: `Bearer ${secret}` };
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
    response = await fetch(`${url}/operator/sfu${path}`, { method, headers, signal });
  } catch (cause) {
    throw new OperatorError(`${url} does not answer (${reasonOf(cause)}): is LesCopains running there?`, { cause });
  }
  if (response.ok) return response;
  const text = await response.text();
  if (response.status === 404 && text !== "no such node")
    throw new OperatorError(`${url} does not know this secret: SFU_SECRET must be the edge's`);
  throw new OperatorError(`${url} answers ${response.status}: ${text.slice(0, 200)}`);
}

function state({ connected, draining, hasFormerSecret }: Node): string {
  if (!connected) return "away";
  return `${draining ? "draining" : "open"}${hasFormerSecret ? ", former secret" : ""}`;
}

function megabits(bits: number): string {
  return (bits / 1e6).toFixed(1);
}

function row(node: Node): string[] {
  const { id, region, version, load } = node;
  const flow = `${megabits(load.bitrateIn)} / ${megabits(load.bitrateOut)}`;
  const cpu = `${Math.round(load.cpu * 100)} %`;
  return [id, state(node), String(load.rooms), String(load.peers), cpu, flow, region || "-", version];
}

/** The nodes and what they carry, as a table. */
export async function listNodes(edge: Edge, _: Wish, stop: AbortSignal): Promise<string> {
  const { nodes } = v.parse(Nodes, await (await ask(edge, "", "GET", stop)).json());
  if (nodes.length === 0) return "No voice node is connected.";
  const head = ["node", "state", "rooms", "people", "cpu", "Mbit/s in / out", "region", "version"];
  const rows = [head, ...nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(row)];
  const widths = head.map((_title, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return rows.map((cells) => line(cells).trimEnd()).join("\n");
}

/** No new rooms for a node; those that are there end by themselves, or move at the deadline. */
export async function drainNode(edge: Edge, { node, minutes }: Wish, stop: AbortSignal): Promise<string> {
  await ask(edge, `/${encodeURIComponent(node)}/drain?minutes=${minutes}`, "POST", stop);
  const until = new Date(Date.now() + minutes * 60_000).toLocaleTimeString("en-GB");
  return `${node} takes no new rooms. Its calls go on until they end; those that are left at ${until} move to another node. \`npm run sfu -- list\` shows when it is empty.`;
}

export async function undrainNode(edge: Edge, { node }: Wish, stop: AbortSignal): Promise<string> {
  await ask(edge, `/${encodeURIComponent(node)}/undrain`, "POST", stop);
  return `${node} takes new rooms again.`;
}
