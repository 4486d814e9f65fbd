import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Upload {
  /** What Cloudflare is told about the worker. */
  readonly metadata: unknown;
  /** Modules by name. */
  readonly modules: ReadonlyMap<string, string>;
}

/** As much of Cloudflare's API as a first deployment asks for: an account with nothing in it, where everything works. */
export interface FakeCloudflare {
  readonly url: string;
  /** `METHOD /path` of what was asked, in order; paths below the account. */
  readonly asked: readonly string[];
  readonly tokens: ReadonlySet<string>;
  readonly uploads: readonly Upload[];
  /** Bodies of JSON by what was asked. */
  readonly bodies: ReadonlyMap<string, unknown>;
  stop(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function uploadOf(body: Buffer, type: string): Promise<Upload> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const modules = new Map<string, string>();
  let metadata: unknown;
  for (const [name, value] of form) {
    if (typeof value !== "string") modules.set(name, await value.text());
    else if (name === "metadata") metadata = JSON.parse(value);
  }
  return { metadata, modules };
}

const nothing = { code: 10_007, message: "This Worker does not exist on your account." };
const notThere = /^GET \/workers\/(services\/[^/]+|scripts\/[^/]+\/(secrets|deployments|settings))$/;

function resultOf(asked: string): unknown {
  if (asked.endsWith("/assets-upload-session")) return { jwt: "of the assets", buckets: [] };
  if (asked.endsWith("/domains/changeset")) return { added: [], removed: [], updated: [], conflicting: [] };
  const off = { enabled: false, previews_enabled: false };
  if (asked.endsWith("/subdomain")) return off;
  return { id: "id", etag: "etag", tag: "tag", deployment_id: "id", startup_time_ms: 10, subdomain: off };
}

export async function startFakeCloudflare(): Promise<FakeCloudflare> {
  const asked: string[] = [];
  const tokens = new Set<string>();
  const uploads: Upload[] = [];
  const bodies = new Map<string, unknown>();
  const server = createServer((request, response) => {
    void (async () => {
      const path = (request.url ?? "").split("?", 1)[0]?.replace(/^\/client\/v4\/accounts\/[0-9a-f]{32}/, "") ?? "";
      const what = `${request.method} ${path}`;
      const body = await bodyOf(request);
      asked.push(what);
      tokens.add(request.headers.authorization ?? "");
      const type = request.headers["content-type"] ?? "";
      if (type.startsWith("multipart/")) uploads.push(await uploadOf(body, type));
      else if (body.length > 0) bodies.set(what, JSON.parse(body.toString("utf8")));
      const found = !notThere.test(what);
      response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
      const answer = found
        ? { success: true, errors: [], messages: [], result: resultOf(what) }
        : { success: false, errors: [nothing], messages: [], result: null };
      response.end(JSON.stringify(answer));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/client/v4`,
    asked,
    tokens,
    uploads,
    bodies,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
