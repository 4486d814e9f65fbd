import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webFolder } from "../../tools/stack/build.ts";
import { freshName } from "../flows/kit/people.ts";
import { type Place, startPlace } from "../flows/kit/place.ts";
import { type Echo, type EchoService, startEcho } from "./kit/echo.ts";
import { type Answer, type Front, startFront } from "./kit/front.ts";

/** Attempts to sign in that one address has. */
const LOGIN_LIMIT = 2;
/** On this machine, whoever comes from 127.0.0.3 is another proxy of ours; Caddy itself comes from 127.0.0.1. */
const OUTER_PROXY = "127.0.0.3";

let place: Place;
let node: EchoService;
let front: Front;
beforeAll(async () => {
  node = await startEcho();
  place = await startPlace({
    TRUSTED_PROXY: `127.0.0.1,${OUTER_PROXY}`,
    LOGIN_LIMIT: String(LOGIN_LIMIT),
    VOICE_ORIGINS: "https://voice.example, https://voice2.example:8443",
  });
  // Nobody listens on port 1.
  front = await startFront({ edge: `127.0.0.1:${place.stack.port}`, sfu: node.address, sfu2: "127.0.0.1:1" });
});
afterAll(async () => {
  await front?.stop();
  await place?.stop();
  await node?.stop();
});

const json = { "content-type": "application/json" };
const post = (body: unknown, headers = {}) => ({
  method: "POST",
  headers: { ...json, ...headers },
  body: JSON.stringify(body),
});

/** Every kind of answer that somebody outside can get. */
const kinds: Readonly<Record<string, { status: number; from: "edge" | "caddy"; ask: () => Promise<Answer> }>> = {
  page: { status: 200, from: "edge", ask: () => front.ask("/") },
  view: { status: 200, from: "edge", ask: () => front.ask("/s/1/c/2") },
  script: { status: 200, from: "edge", ask: () => front.ask("/look.js") },
  "no such file": { status: 404, from: "edge", ask: () => front.ask("/assets/nothing.js") },
  API: { status: 200, from: "edge", ask: () => front.ask("/api/openapi.json") },
  "not signed in": { status: 401, from: "edge", ask: () => front.ask("/api/users/@me") },
  "no such route": { status: 404, from: "edge", ask: () => front.ask("/api/nothing") },
  "wrong method": { status: 405, from: "edge", ask: () => front.ask("/api/auth/login", { method: "PUT" }) },
  "wrong body": { status: 400, from: "edge", ask: () => front.ask("/api/auth/login", post([])) },
  polling: { status: 200, from: "edge", ask: () => front.ask("/socket.io/?EIO=4&transport=polling") },
  "refused polling": { status: 400, from: "edge", ask: () => front.ask("/socket.io/?EIO=3&transport=polling") },
  "registry without a socket": { status: 426, from: "edge", ask: () => front.ask("/sfu-registry") },
  "voice node": { status: 200, from: "caddy", ask: () => front.ask("/sfu/join", post({})) },
  "voice node that is away": { status: 503, from: "caddy", ask: () => front.ask("/nodes/sfu2/sfu/join", post({})) },
  metrics: { status: 404, from: "caddy", ask: () => front.ask("/metrics") },
  "too long": { status: 413, from: "caddy", ask: () => front.ask("/api/auth/login", post("x".repeat(1_000_000))) },
};

function policyOf({ headers }: Answer): Map<string, string[]> {
  const directives = String(headers["content-security-policy"])
    .split(";")
    .map((directive) => directive.trim().split(/\s+/));
  return new Map(directives.map(([name = "", ...sources]) => [name, sources]));
}

describe("[PX9] every answer has its headers", () => {
  test.each(Object.entries(kinds))("%s", async (_, { status, from, ask }) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      ...(from === "edge"
        ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
        : {}),
    });
    const policy = policyOf(answer);
    expect(policy.get("default-src")).toEqual(["'none'"]);
    expect(policy.get("frame-ancestors")).toEqual(["'none'"]);
    expect(policy.get("base-uri")).toEqual(["'none'"]);
    // One of each: what Caddy adds is for those that have none.
    for (const [name, value] of Object.entries(answer.headers)) {
      if (/security-policy|options|referrer|cross-origin|transport-security/.test(name))
        expect(String(value), name).not.toContain(", ");
    }
    for (const name of ["server", "via", "x-powered-by"]) expect(answer.headers).not.toHaveProperty(name);
    if (status >= 400 && from === "caddy")
      expect(JSON.parse(answer.body.toString("utf8"))).toMatchObject({ error: { code: expect.any(String) } });
  });

  test("pages may use what voice needs, and nothing else", async () => {
    const features = String((await front.ask("/")).headers["permissions-policy"]).split(", ");
    for (const name of ["microphone", "camera", "display-capture"]) expect(features).toContain(`${name}=(self)`);
    for (const name of ["geolocation", "payment", "usb"]) expect(features).toContain(`${name}=()`);
  });

  test("pages connect to us and to the voice nodes that the setting names", async () => {
    expect(policyOf(await front.ask("/")).get("connect-src")).toEqual([
      "'self'",
      `wss://${new URL(front.url).host}`,
      "https://voice.example",
      "wss://voice.example",
      "https://voice2.example:8443",
      "wss://voice2.example:8443",
    ]);
  });
});

/** https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring: each of its tests, in its order. */
describe("[PX10] Mozilla's Observatory would find", () => {
  const foreign = { origin: "https://http-observatory.security.mozilla.org" };

  test("a Content Security Policy without unsafe sources, that denies by default", async () => {
    const policy = policyOf(await front.ask("/"));
    expect(policy.get("default-src")).toEqual(["'none'"]);
    expect(policy.get("script-src")).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    expect(policy.get("style-src")).toEqual(["'self'"]);
    expect(policy.get("object-src") ?? policy.get("default-src")).toEqual(["'none'"]);
    expect(policy.get("form-action")).toEqual(["'self'"]);
    expect(policy.get("require-trusted-types-for")).toEqual(["'script'"]);
    for (const [name, sources] of policy) {
      expect(sources, name).not.toContain("'unsafe-inline'");
      expect(sources, name).not.toContain("'unsafe-eval'");
      for (const source of sources) expect(source, name).not.toMatch(/^(?:\*|https?:|http:\/\/.*|ws:.*)$/);
    }
    for (const name of ["script-src", "style-src", "worker-src", "connect-src"])
      expect(policy.get(name)?.some((source) => /^(?:data|blob):/.test(source))).toBe(false);
  });

  test("cookies that are Secure, HttpOnly and SameSite", async () => {
    const { status, headers } = await front.ask(
      "/api/auth/register",
      post({ username: freshName(), password: "correct horse battery staple" }),
    );
    expect(status).toBe(201);
    expect(headers["set-cookie"]).toHaveLength(1);
    const [cookie = ""] = headers["set-cookie"] ?? [];
    for (const attribute of ["Secure", "HttpOnly", "SameSite=Strict", "Path=/api/auth"])
      expect(cookie.split("; ")).toContain(attribute);
    expect((await front.ask("/")).headers["set-cookie"]).toBeUndefined();
  });

  test("no sharing with other origins", async () => {
    for (const path of ["/", "/api/users/@me", "/api/openapi.json", "/socket.io/?EIO=4&transport=polling"]) {
      for (const method of ["GET", "OPTIONS"]) {
        const { headers } = await front.ask(path, {
          method,
          headers: { ...foreign, "access-control-request-method": "POST" },
        });
        expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      }
    }
    for (const path of ["/crossdomain.xml", "/clientaccesspolicy.xml"])
      expect((await front.ask(path)).status).toBe(404);
  });

  test("a redirection to TLS on the same host first", async () => {
    const { status, headers } = await front.askPlain("/");
    expect([status, headers.location]).toEqual([308, `${front.url}/`]);
  });

  test("a referrer policy, HSTS of six months at least, no sniffing, no framing, CORP", async () => {
    const { headers } = await front.ask("/");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    const seconds = Number(/^max-age=(\d+)$/.exec(String(headers["strict-transport-security"]))?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(15_768_000);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["x-frame-options"]).toBe("DENY");
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
  });

  test("scripts of this origin only, so that subresource integrity has nothing to say", () => {
    const page = readFileSync(join(webFolder, "index.html"), "utf8");
    const sources = [...page.matchAll(/<script[^>]*>/g)].map(([tag]) => /src="([^"]*)"/.exec(tag)?.[1]);
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).toMatch(/^\/[^/]/);
  });
});

describe("[PX11] who called is known, whatever they say", () => {
  const lies = {
    "cf-connecting-ip": "203.0.113.9",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "evil.example",
    "x-real-ip": "203.0.113.9",
    forwarded: "for=203.0.113.9;proto=http;host=evil.example",
  };
  let count = 0;
  /** Another address each time. */
  const forwardedFor = () => ({ "x-forwarded-for": `203.0.113.${++count}` });
  const login = () => ({ username: freshName(), password: "wrong password" });
  const statuses = async (attempt: () => Promise<number>) => {
    const got: number[] = [];
    for (let each = 0; each < LOGIN_LIMIT + 1; each++) got.push(await attempt());
    return got;
  };
  const limited = [...Array.from({ length: LOGIN_LIMIT }, () => 401), 429];

  test("a service is told who called Caddy, after what they say themselves, and how they came", async () => {
    const headers = { ...lies, "x-forwarded-for": "203.0.113.1, 203.0.113.2", "x-request-id": "mine" };
    const answer = await front.ask("/sfu/x", { headers, from: "127.0.0.2" });
    const told = (JSON.parse(answer.body.toString("utf8")) as Echo).headers;
    expect(told["x-forwarded-for"]).toBe("203.0.113.1, 203.0.113.2, 127.0.0.2");
    expect(told["x-forwarded-proto"]).toBe("https");
    expect(told).not.toHaveProperty("x-forwarded-host");
    expect(told["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(told.host).toBe(new URL(front.url).host);
  });

  test("through Caddy a client is its own address", async () => {
    const attempt = async () =>
      (await front.ask("/api/auth/login", { ...post(login(), { ...lies, ...forwardedFor() }), from: "127.0.0.2" }))
        .status;
    expect(await statuses(attempt)).toEqual(limited);
    // Another client is another.
    expect((await front.ask("/api/auth/login", { ...post(login()), from: "127.0.0.4" })).status).toBe(401);
  });

  test("through a proxy of ours before Caddy it is the one that the proxy names", async () => {
    const through = (chain: string) =>
      front.ask("/api/auth/login", { ...post(login(), { ...lies, "x-forwarded-for": chain }), from: OUTER_PROXY });
    expect(await statuses(async () => (await through(`203.0.113.${++count}, 198.51.100.1`)).status)).toEqual(limited);
    expect((await through("198.51.100.2")).status).toBe(401);
  });

  test("past Caddy, a peer that is no proxy of ours is believed nothing", async () => {
    const attempt = async () => {
      const headers = { ...lies, ...forwardedFor(), "x-forwarded-proto": "https" };
      const { status, headers: got } = await front.askEdge(place.stack.port, "/api/auth/login", {
        ...post(login(), headers),
        from: "127.0.0.5",
      });
      expect(got).not.toHaveProperty("strict-transport-security");
      return status;
    };
    expect(await statuses(attempt)).toEqual(limited);
  });
});

test("[PX15] even when all is logged, it is without who asked, and without what opens their session or lets somebody in", async () => {
  const headers = {
    authorization: "Bearer secret-1",
    cookie: "lescopains_refresh=secret-2",
    "x-forwarded-for": "203.0.113.7",
  };
  const telling = await startFront({
    edge: `127.0.0.1:${place.stack.port}`,
    sfu: node.address,
    sfu2: "127.0.0.1:1",
    debug: true,
  });
  try {
    const asked = ["?sid=secret-3", "/invites/secret-4/join", "/invite/secret-5?to=secret-6"];
    for (const path of asked) {
      await telling.ask(`/nodes/sfu2/sfu/away${path}`, { headers, from: "127.0.0.2" });
      await expect(telling.ask(`/sfu/cut${path}`, { headers, from: "127.0.0.2" })).rejects.toThrow();
    }
    const logged = (path: string) => telling.log().split(`"uri":"${path}`).length - 1;
    // Each way to ask, of those that were refused and those that were cut.
    for (const path of ["?…", "/invites/…", "/invite/…"])
      await expect.poll(() => [logged(`/sfu/away${path}`) > 0, logged(`/sfu/cut${path}`) > 0]).toEqual([true, true]);
    expect(telling.log()).not.toMatch(/secret-|127\.0\.0\.2\b|203\.0\.113\.7/);
  } finally {
    await telling.stop();
  }
});
