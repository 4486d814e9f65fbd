import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCoturn } from "../../../tools/find-coturn.ts";
import { freePort } from "../../../tools/stack/ports.ts";

export interface TurnServer {
  /** As `TURN_URLS` takes it. */
  readonly urls: string;
  /** As `TURN_SECRET` takes it. */
  readonly secret: string;
  readonly stop: () => Promise<void>;
}

/** A coturn on the loopback address, set up as docs/self-hosting.md says, and with leave to reach this machine. */
export async function startTurn(): Promise<TurnServer> {
  const program = await findCoturn(console.log);
  const folder = mkdtempSync(join(tmpdir(), "lescopains-turn-"));
  const port = await freePort();
  const secret = "the-secret-of-a-test";
  const child = spawn(
    program,
    [
      "--listening-ip=127.0.0.1",
      `--listening-port=${port}`,
      "--relay-ip=127.0.0.1",
      "--allow-loopback-peers",
      "--use-auth-secret",
      `--static-auth-secret=${secret}`,
      "--realm=lescopains",
      "--no-tls",
      "--no-dtls",
      "--no-cli",
      "--log-file=stdout",
      "--simple-log",
      `--userdb=${join(folder, "db")}`,
      `--pidfile=${join(folder, "pid")}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"], cwd: folder },
  );
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const ended = once(child, "close");
  await Promise.race([
    answers(port),
    ended.then(() => {
      throw new Error(`coturn ended: ${said}`);
    }),
  ]);
  return {
    urls: `turn:127.0.0.1:${port}?transport=udp`,
    secret,
    async stop() {
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until a STUN server answers a binding request (RFC 8489 §6): coturn writes its log too late to wait for a line of it. */
async function answers(port: number): Promise<void> {
  const request = Buffer.alloc(20);
  request.writeUInt16BE(0x0001, 0);
  request.writeUInt32BE(0x2112_a442, 4);
  const socket = createSocket("udp4");
  const asking = setInterval(() => socket.send(request, port, "127.0.0.1"), 50);
  await once(socket, "message");
  clearInterval(asking);
  socket.close();
}
