import { spawn } from "node:child_process";
import { freePort } from "../../../tools/stack/ports.ts";
import { rootFolder } from "../../../tools/stack/root.ts";
import { publicSigningKey } from "../../../tools/stack/secrets.ts";
import { type SfuProcess, startSfuProcess } from "../../sfu/kit/process.ts";
import type { Place } from "./place.ts";

/** Another real node of a place, `second`, at an address of its own, until the test ends. After SIGTERM its calls go on for an hour. */
export async function startSecondNode({ url, secrets }: Pick<Place, "url" | "secrets">): Promise<SfuProcess> {
  const port = await freePort();
  return startSfuProcess({
    SFU_NODE_ID: "second",
    SFU_HTTP_PORT: String(port),
    SFU_PUBLIC_URL: `http://127.0.0.1:${port}`,
    SFU_EDGE_KEYS: JSON.stringify({ keys: [publicSigningKey(secrets)] }),
    SFU_REGISTRY_URL: `${url.replace(/^http/, "ws")}/sfu-registry`,
    SFU_SECRET: secrets.sfuSecret,
    SFU_DRAIN_MS: "3600000",
  });
}

/** `npm run sfu -- …`, as on another machine: how it ended, and what it said. */
export async function sfuCommand(
  { url, secrets }: Pick<Place, "url" | "secrets">,
  args: readonly string[],
  secret = secrets.sfuSecret,
): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn(process.execPath, ["tools/sfu.ts", ...args, "--edge", url], {
    cwd: rootFolder,
    env: { ...process.env, SFU_SECRET: secret },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.once("close", (status) => resolve(status ?? -1));
  });
  return { code, said };
}
