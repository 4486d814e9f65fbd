import type { JSONWebKeySet } from "jose";
import { onTestFinished } from "vitest";
import { type Config, readConfig } from "../../../sfu-node/src/config.ts";
import { FakeEngine } from "../../../sfu-node/src/media/fake.ts";
import { type SfuNode, startNode } from "../../../sfu-node/src/node.ts";
import { makeLogger } from "../../../sfu-node/src/platform/logger.ts";
import { type Edge, startEdge } from "./edge.ts";

function testConfig(keys: JSONWebKeySet, env: Readonly<Record<string, string>> = {}): Config {
  return readConfig({
    SFU_NODE_ID: "test-node",
    SFU_HTTP_PORT: "0",
    SFU_PORT: "0",
    SFU_WORKERS: "2",
    SFU_EDGE_KEYS: JSON.stringify(keys),
    MEDIASOUP_WORKER_BIN: "none",
    ...env,
  });
}

export interface FakeNode {
  readonly url: string;
  readonly node: SfuNode;
  readonly engine: FakeEngine;
  readonly edge: Edge;
  /** Everything it logged. */
  readonly log: string[];
}

/** A node with everything but media, until the test ends. */
export async function fakeNode(env: Readonly<Record<string, string>> = {}): Promise<FakeNode> {
  const edge = await startEdge();
  const engine = new FakeEngine();
  const log: string[] = [];
  const node = await startNode(
    testConfig(edge.keys, env),
    engine,
    makeLogger("debug", (line) => log.push(line)),
  );
  onTestFinished(() => node.stop());
  return { url: `http://127.0.0.1:${node.port}`, node, engine, edge, log };
}
