import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const key = { kty: "OKP", crv: "Ed25519", x: "A".repeat(43), kid: "one" };
const least = { SFU_EDGE_KEYS: JSON.stringify({ keys: [key] }), MEDIASOUP_WORKER_BIN: "/bin/worker" };

test("[SN1] a node needs the edge's keys and a worker; the rest has a default", () => {
  expect(readConfig(least)).toMatchObject({
    SFU_NODE_ID: "local",
    SFU_PORT: 40_000,
    SFU_LISTEN: [{ ip: "127.0.0.1" }],
    SFU_EDGE_KEYS: { keys: [key] },
  });
});

test("[SN1] a wrong setting is one line that names it and shows no value", () => {
  const message = (env: Record<string, string>): string => {
    try {
      readConfig({ ...least, ...env });
      return "taken";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  expect(message({ SFU_PORT: "many" })).toMatch(/^SFU_PORT: /);
  expect(message({ SFU_EDGE_KEYS: "{}" })).toMatch(/^SFU_EDGE_KEYS/);
  expect(message({ SFU_EDGE_KEYS: JSON.stringify({ keys: [{ ...key, crv: "P-256" }] }) })).toMatch(/^SFU_EDGE_KEYS/);
  expect(message({ SFU_LISTEN: "somewhere" })).toMatch(/^SFU_LISTEN: is no list of addresses/);
  expect(message({ SFU_REGISTRY_URL: "ws://edge", SFU_SECRET: "hunter2" })).toBe(
    "SFU_SECRET: at least 32 bytes, the same as the edge's",
  );
  // The second is what docker-compose.sfu.yml makes of no EDGE.
  for (const SFU_REGISTRY_URL of ["example.org", "wss:///sfu-registry", "wss://exa mple.org", "file:///x"])
    expect(message({ SFU_REGISTRY_URL, SFU_SECRET: "x".repeat(32) }), SFU_REGISTRY_URL).toBe(
      "SFU_REGISTRY_URL: is no address like wss://example.org/sfu-registry",
    );
  expect(message({ TRUSTED_PROXY: "10.0.0.0/8, my-proxy" })).toMatch(/^TRUSTED_PROXY: is no list of addresses/);
  expect(message({ TRUSTED_PROXY: "10.0.0.0/33" })).toMatch(/^TRUSTED_PROXY: is no list of addresses/);
  expect(message({ SFU_NODE_ID: "Not A Name" })).toMatch(/^SFU_NODE_ID: /);
});

test("[SN2] media listens on IPv4 and IPv6, and tells the addresses that it is reached at", () => {
  const listen = (SFU_LISTEN: string) => readConfig({ ...least, SFU_LISTEN }).SFU_LISTEN;
  expect(listen("0.0.0.0=203.0.113.5, ::=2001:db8::5")).toEqual([
    { ip: "0.0.0.0", announced: "203.0.113.5" },
    { ip: "::", announced: "2001:db8::5" },
  ]);
  expect(listen("127.0.0.1,::1")).toEqual([{ ip: "127.0.0.1" }, { ip: "::1" }]);
});
