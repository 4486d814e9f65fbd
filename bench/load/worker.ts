/** A load generator process: connections to one server, driven by the benchmark over the process channel. */
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "./connection.ts";
import { Ledger } from "./ledger.ts";
import type { Answers, Command, Connect, Reply, Request, Settle } from "./protocol.ts";
import { sendRun } from "./sending.ts";

/** Handshakes under way at a time. */
const connectConcurrency = 40;
/** A run is over when nothing has arrived for this long, complete or not. */
const silenceMs = 3_000;
const pollMs = 5;

let connections: Connection[] = [];
let ledger = new Ledger(0, 0);

async function connect({ server, tokens }: Connect): Promise<Answers["connect"]> {
  const startedMs = performance.now();
  const opened: Connection[] = [];
  const queue = [...tokens.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, token] = next;
      opened[index] = await Connection.open(server, token, (stamp) => ledger.take(index, stamp));
    }
  };
  await Promise.all(Array.from({ length: connectConcurrency }, worker));
  connections = opened;
  return { connectedMs: performance.now() - startedMs };
}

async function settle({ messages, refused }: Settle): Promise<Answers["settle"]> {
  const expected = connections.length * (messages - refused.length);
  let before = ledger.delivered;
  let quietSinceMs = performance.now();
  while (ledger.delivered < expected && performance.now() - quietSinceMs < silenceMs) {
    await sleep(pollMs);
    if (ledger.delivered !== before) quietSinceMs = performance.now();
    before = ledger.delivered;
  }
  const closed = connections.filter(({ isOpen }) => !isOpen).length;
  if (closed > 0) throw new Error(`${closed} of ${connections.length} connections were closed by the server`);
  return ledger.balance(messages, refused);
}

async function obey(command: Command): Promise<Answers[Command["kind"]]> {
  switch (command.kind) {
    case "connect":
      return connect(command);
    case "open":
      ledger = new Ledger(command.run, connections.length);
      return null;
    case "send":
      return sendRun(connections, command);
    case "settle":
      return settle(command);
    default:
      await Promise.all(connections.map((connection) => connection.close()));
      connections = [];
      return null;
  }
}

process.on("message", ({ id, command }: Request) => {
  const reply = (answer: Reply): void => void process.send?.(answer);
  obey(command).then(
    (answer) => reply({ id, answer }),
    (error: unknown) => reply({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit());
