import { describe, expect, test } from "vitest";

import { keepHandshake, randomId, readAsk } from "./handshake.ts";

const url = (query: string): URL => new URL(`https://example.org/socket.io/?${query}`);

describe("handshake", () => {
  test("[IO2] a request is an ask or a refusal, whatever its query", () => {
    const get = new Request("https://example.org/");
    const post = new Request("https://example.org/", { method: "POST", body: "x" });
    expect(readAsk(get, url("EIO=4&transport=polling"))).toEqual({ transport: "polling", sid: undefined });
    expect(readAsk(post, url("EIO=4&transport=polling&sid=a"))).toEqual({ transport: "polling", sid: "a" });
    expect(readAsk(post, url("EIO=4&transport=polling"))).toBe("badHandshakeMethod");
    expect(readAsk(get, url("EIO=4&transport=websocket"))).toBe("badRequest");
    expect(readAsk(get, url("EIO=5&transport=polling"))).toBe("unsupportedProtocol");
    expect(readAsk(get, url("transport=__proto__"))).toBe("unknownTransport");
  });

  test("[IO3] what is kept leaves out hop-by-hop headers, and is refused when too large", () => {
    const headers = { "x-name": "Ada", "cache-control": "no-store", accept: "*/*" };
    const kept = keepHandshake(new Request("https://example.org/", { headers }), url("EIO=4"));
    expect(kept).toEqual({ url: "https://example.org/socket.io/?EIO=4", headers: [["x-name", "Ada"]] });
    const large = new Request("https://example.org/", { headers: { cookie: "x".repeat(8_000) } });
    expect(keepHandshake(large, url("EIO=4"))).toBeUndefined();
  });

  test("[IO1] ids are long, safe in URLs and never the same", () => {
    const ids = Array.from({ length: 1_000 }, randomId);
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[\w-]{20}$/);
  });
});
