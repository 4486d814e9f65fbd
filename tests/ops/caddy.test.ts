import { readdirSync, readFileSync, statSync } from "node:fs";
import { connect as connectH2 } from "node:http2";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { LIMITS } from "@lescopains/protocol/limits";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webFolder } from "../../tools/stack/build.ts";
import { connect } from "../flows/kit/connection.ts";
import { enroll, serverWith, textChannel } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { type Echo, type EchoService, startEcho } from "./kit/echo.ts";
import { type Answer, caddyfile, type Front, runCaddy, startFront, versionEnvironment } from "./kit/front.ts";

let place: Place;
let second: EchoService;
let front: Front;
beforeAll(async () => {
  second = await startEcho();
  place = await startPlace({ TRUSTED_PROXY: "127.0.0.1", METRICS_TOKEN: "a token" }, { sfu: true });
  front = await startFront({
    edge: `127.0.0.1:${place.stack.port}`,
    sfu: `127.0.0.1:${place.stack.sfu?.httpPort}`,
    sfu2: second.address,
  });
});
afterAll(async () => {
  await front?.stop();
  await place?.stop();
  await second?.stop();
});

/** A file of the build whose name has its hash in it, and that has a compressed copy. */
function hashedScript(): string {
  const name = readdirSync(join(webFolder, "assets")).find((file) => file.endsWith(".js.br"));
  if (name === undefined) throw new Error("the build has no compressed script");
  return `/assets/${name.slice(0, -".br".length)}`;
}

const json = { "content-type": "application/json" };
const errorOf = ({ body }: Answer): unknown => JSON.parse(body.toString("utf8"));

test("[PX1] the Caddyfile is valid with nothing set but what is older than Caddy 2.7, and formatted", async () => {
  const { code, output } = await runCaddy(
    ["validate", "--config", caddyfile, "--adapter", "caddyfile"],
    await versionEnvironment(),
  );
  expect(output).toContain("Valid configuration");
  expect(code).toBe(0);
  const formatted = await runCaddy(["fmt", caddyfile]);
  expect(formatted.output).toBe(readFileSync(caddyfile, "utf8"));
});

describe("[PX2] without TLS there is nothing but the way to it", () => {
  test.each([
    ["GET", "/"],
    ["GET", "/s/1?x=%20y"],
    ["POST", "/api/auth/login"],
    ["GET", "/socket.io/?EIO=4&transport=polling"],
    ["GET", "/metrics"],
  ])("%s %s", async (method, path) => {
    const { status, headers } = await front.askPlain(path, { method });
    expect([status, headers.location]).toEqual([308, `${front.url}${path}`]);
    expect(headers["strict-transport-security"]).toBeUndefined();
    expect(headers["set-cookie"]).toBeUndefined();
  });
});

test("[PX3] HTTP/2 is spoken and HTTP/3 is offered; TLS before 1.2 is not", async () => {
  const session = connectH2(front.url, { ca: front.ca, servername: front.domain, lookup: front.lookup });
  try {
    const stream = session.request({ ":path": "/health" });
    const headers = await new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) => {
      stream.once("response", (got) => resolve(got));
      stream.once("error", reject);
    });
    expect(headers[":status"]).toBe(200);
    expect(headers["alt-svc"]).toContain(`h3=":${front.httpsPort}"`);
    expect(session.alpnProtocol).toBe("h2");
    stream.close();
  } finally {
    session.destroy();
  }
  const old = { host: "127.0.0.1", port: front.httpsPort, servername: front.domain, ca: front.ca } as const;
  await expect(
    new Promise((resolve, reject) => {
      const socket = connectTls({ ...old, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" });
      socket.once("secureConnect", () => resolve(socket.getProtocol()));
      socket.once("error", reject);
    }),
  ).rejects.toThrow(/protocol version/);
});

describe("[PX4] what is worth it is compressed, once", () => {
  test("files of the build are sent as they were compressed when it was built", async () => {
    const path = hashedScript();
    for (const [accepted, coding, suffix] of [
      ["br, zstd, gzip", "br", ".br"],
      ["zstd, gzip", "gzip", ".gz"],
    ] as const) {
      const { headers, body } = await front.ask(path, { headers: { "accept-encoding": accepted } });
      expect(headers["content-encoding"]).toBe(coding);
      expect(headers.vary).toMatch(/accept-encoding/i);
      expect(body.equals(readFileSync(join(webFolder, `${path}${suffix}`)))).toBe(true);
      expect(headers["content-length"]).toBe(String(statSync(join(webFolder, `${path}${suffix}`)).size));
    }
    expect((await front.ask(path)).headers["content-encoding"]).toBeUndefined();
  });

  test("answers of the API are; sockets, and what answers a password or a cookie, are not", async () => {
    const accepts = { "accept-encoding": "zstd, gzip" };
    const coding = async (path: string, headers = {}) => {
      const answer = await front.ask(path, { headers: { ...accepts, ...headers } });
      expect(answer.status, path).toBe(200);
      // Shorter ones are compressed nowhere.
      expect(answer.body.length, path).toBeGreaterThan(512);
      return answer.headers["content-encoding"];
    };
    expect(await coding("/api/openapi.json")).toBe("zstd");
    expect(await coding("/api/openapi.json", { "accept-encoding": "gzip" })).toBe("gzip");
    expect(await coding("/nodes/sfu2/sfu/long")).toBeUndefined();

    const [person] = await enroll(place, 1);
    if (person === undefined) throw new Error("nobody enrolled");
    await place.sql.query(
      `INSERT INTO sessions (id, user_id, name, expires_at)
       SELECT gen_random_uuid(), $1, 'a browser', now() + interval '1 day' FROM generate_series(1, 9)`,
      [person.id],
    );
    expect(await coding("/api/auth/sessions", { authorization: `Bearer ${person.token}` })).toBeUndefined();

    for (let each = 0; each < 3; each++) await serverWith(place, person);
    const opened = await front.ask("/socket.io/?EIO=4&transport=polling");
    const { sid } = JSON.parse(opened.body.toString("utf8").slice(1)) as { sid: string };
    const session = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    await front.ask(session, { method: "POST", body: `40${JSON.stringify({ token: person.token })}` });
    // The first answer holds that the namespace was joined, the second `ready`.
    await front.ask(session);
    expect(await coding(session)).toBeUndefined();
  });
});

test("[PX5] hashed files are kept for ever, the page is asked for anew, answers are not kept", async () => {
  const kept = async (path: string) => (await front.ask(path)).headers["cache-control"];
  expect(await kept(hashedScript())).toBe("public, max-age=31536000, immutable");
  for (const path of ["/", "/index.html", "/s/1/c/2", "/look.js", "/favicon.svg"])
    expect(await kept(path), path).toBe("no-cache");
  for (const path of [
    "/health",
    "/api/users/@me",
    "/api/nothing",
    "/assets/nothing.js",
    "/metrics",
    "/socket.io/?EIO=4&transport=polling",
    "/sfu/nothing",
    "/sfu-registry",
  ])
    expect(await kept(path), path).toBe("no-store");
});

test("[PX6] /metrics is nobody's, however it is spelled and whoever asks", async () => {
  const headers = { authorization: "Bearer a token" };
  // The edge would answer.
  expect((await fetch(`${place.url}/metrics`, { headers })).status).toBe(200);
  for (const path of [
    "/metrics",
    "/metrics/",
    "/METRICS",
    "//metrics",
    "/metrics?x",
    "/x/../metrics",
    "/x/%2e%2e/metrics",
    "/%6detrics",
    "/x\\..\\metrics",
    "/./metrics",
    "/metrics%2f",
    "/sfu/../metrics",
    "/sfu/metrics",
    "/nodes/sfu2/metrics",
    "/nodes/sfu2/sfu/../metrics",
  ]) {
    const { status, body } = await front.ask(path, { headers });
    expect(body.toString("utf8"), path).not.toContain("lescopains_");
    expect([404, 400, 200].includes(status), path).toBe(true);
  }
  expect((await front.ask("/metrics", { headers })).status).toBe(404);
});

describe("[PX7] a body is as long as the services take, and no longer", () => {
  const junk = (bytes: number, headers = {}) => ({
    method: "POST",
    headers: { ...json, ...headers },
    body: Buffer.alloc(bytes, "x"),
  });
  const tooLong = [413, { error: { code: "too_large", message: "a body is shorter than 1 MB" } }];
  test("above its own limit the edge says so", async () => {
    const answer = await front.ask("/api/auth/login", junk(LIMITS.bodyBytes + 1));
    expect(answer.status).toBe(413);
    expect(errorOf(answer)).toMatchObject({
      error: { code: "too_large", message: expect.stringContaining(String(LIMITS.bodyBytes)) },
    });
  });
  test("10 MB of junk end at Caddy", async () => {
    for (const path of ["/api/auth/login", "/socket.io/?EIO=4&transport=polling", "/sfu/join", "/"]) {
      const answer = await front.ask(path, junk(10_000_000));
      expect([answer.status, errorOf(answer)], path).toEqual(tooLong);
    }
  });
  test("a body that does not say its length is cut", async () => {
    const chunked = { "transfer-encoding": "chunked" };
    const fits = await front.ask("/nodes/sfu2/sfu/x", junk(1_000_000, chunked));
    expect([fits.status, (errorOf(fits) as Echo).bytes]).toEqual([200, 1_000_000]);
    const cut = await front.ask("/nodes/sfu2/sfu/x", junk(1_000_001, chunked));
    // Caddy before 2.7 may take it for a fault of the service.
    if (front.version[1] < 7) expect([413, 503]).toContain(cut.status);
    else expect([cut.status, errorOf(cut)]).toEqual(tooLong);
  });
});

test("[PX8] the official client connects as it does by default, polling first, and by WebSocket alone", async () => {
  const [chloe, leo] = await enroll(place, 2);
  if (chloe === undefined || leo === undefined) throw new Error("nobody enrolled");
  const channelId = textChannel(await serverWith(place, chloe, [leo])).id;
  const options = { agent: front.agent as never };
  const byDefault = await connect({ url: front.url }, chloe, { ...options, transports: ["polling", "websocket"] });
  const bySocket = await connect({ url: front.url }, leo, options);
  const upgraded = new Promise<void>((resolve) => {
    if (byDefault.socket.io.engine.transport.name === "websocket") resolve();
    byDefault.socket.io.engine.once("upgrade", () => resolve());
  });
  await upgraded;
  await byDefault.must("message:send", { channelId, content: "à travers tout", nonce: crypto.randomUUID() });
  expect((await bySocket.until("message:new")).content).toBe("à travers tout");
  byDefault.close();
  bySocket.close();
});
