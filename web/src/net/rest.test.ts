import type { ServerId } from "@lescopains/protocol/ids";
import { REST, type SignedIn } from "@lescopains/protocol/rest";
import { describe, expect, test, vi } from "vitest";
import type { Access } from "./access.ts";
import { createCalls, type Fetch } from "./rest.ts";

const SERVER = "018f0000-0000-7000-8000-000000000001" as ServerId;
const PAGE = { members: [], next: null };

function access(): Access {
  return {
    token: vi.fn(async () => "old"),
    renew: vi.fn(async () => "new"),
    restore: vi.fn(async (): Promise<SignedIn> => await Promise.reject(new Error("not asked"))),
    accept: vi.fn(),
    end: vi.fn(),
  };
}

function answers(...responses: (Response | Error)[]) {
  const asked: { url: string; init: RequestInit }[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    asked.push({ url, init });
    const next = responses.shift();
    if (next instanceof Response) return next;
    throw next ?? new Error("no more answers");
  };
  return { fetch, asked };
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}

function refusal(code: string, status: number, retryAfterMs = 15_000): Response {
  return json({ error: { code, message: "no", retryAfterMs } }, status);
}

function client(fetch: Fetch, keys: Access, pause: (ms: number) => Promise<void> = async () => undefined) {
  return createCalls({ fetch, access: keys, pause }, REST);
}

describe("rest", () => {
  test("[RC1] a call fills the path, the query and the body of its route", async () => {
    const { fetch, asked } = answers(json(PAGE), new Response(null, { status: 204 }));
    const api = client(fetch, access());
    await api.call("listMembers", { params: { id: SERVER }, query: { limit: 10, after: undefined } });
    await api.call("ban", { params: { id: SERVER, userId: SERVER as never }, body: { reason: "spam" } });
    expect(asked[0]?.url).toBe(`/api/servers/${SERVER}/members?limit=10`);
    expect(asked[0]?.init.headers).toMatchObject({ authorization: "Bearer old" });
    expect(asked[1]?.init).toMatchObject({ method: "PUT", body: '{"reason":"spam"}' });
  });

  test("[RC2] a token that has ended is renewed once and the call repeated", async () => {
    const { fetch, asked } = answers(refusal("token_expired", 401), json(PAGE));
    const keys = access();
    await client(fetch, keys).call("listMembers", { params: { id: SERVER } });
    expect(keys.renew).toHaveBeenCalledExactlyOnceWith("old");
    expect(asked[1]?.init.headers).toMatchObject({ authorization: "Bearer new" });
    const again = answers(refusal("token_expired", 401), refusal("token_expired", 401));
    await expect(client(again.fetch, access()).call("listMembers", { params: { id: SERVER } })).rejects.toMatchObject({
      code: "token_expired",
    });
    expect(again.asked).toHaveLength(2);
  });

  test("[RC3] a refusal keeps its code and its wait; a revoked session ends here too", async () => {
    const keys = access();
    const { fetch } = answers(refusal("rate_limited", 429), refusal("session_revoked", 401));
    const api = client(fetch, keys);
    await expect(api.call("getSelf")).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterMs: 15_000,
      retry: true,
    });
    await expect(api.call("getSelf")).rejects.toMatchObject({ code: "session_revoked" });
    expect(keys.end).toHaveBeenCalledOnce();
  });

  test("[RC4] no network, a proxy's page and an answer that is not the contract's are all `unavailable`", async () => {
    const { fetch } = answers(
      new TypeError("fetch failed"),
      new Response("<h1>Bad gateway</h1>", { status: 502 }),
      json({ hello: "world" }),
      new Response("<h1>Slow down</h1>", { status: 429, headers: { "retry-after": "30" } }),
    );
    const api = client(fetch, access());
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(api.call("getSelf")).rejects.toMatchObject({ code: "unavailable" });
    }
    await expect(api.call("getSelf")).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 30_000 });
  });

  test("[RC5] routes of the cookie send no token, and outlive the tab", async () => {
    const { fetch, asked } = answers(new Response(null, { status: 204 }));
    const keys = access();
    await client(fetch, keys).call("logout");
    expect(keys.token).not.toHaveBeenCalled();
    expect(asked[0]?.init).toMatchObject({ keepalive: true, credentials: "same-origin" });
  });

  test("[RC6] a short wait for the number of requests is waited out, three times at most; a long one is told", async () => {
    const pauses: number[] = [];
    const pause = async (ms: number) => void pauses.push(ms);
    const { fetch, asked } = answers(
      refusal("rate_limited", 429, 600),
      refusal("rate_limited", 429, 5_000),
      json(PAGE),
    );
    expect(await client(fetch, access(), pause).call("listMembers", { params: { id: SERVER } })).toEqual(PAGE);
    expect([pauses, asked.length]).toEqual([[600, 5_000], 3]);
    const stubborn = answers(...Array.from({ length: 9 }, () => refusal("rate_limited", 429, 100)));
    await expect(client(stubborn.fetch, access(), pause).call("getSelf")).rejects.toMatchObject({ retryAfterMs: 100 });
    expect(stubborn.asked).toHaveLength(4);
    const long = answers(refusal("rate_limited", 429, 5_001));
    await expect(client(long.fetch, access(), pause).call("getSelf")).rejects.toMatchObject({ code: "rate_limited" });
    expect(long.asked).toHaveLength(1);
  });
});
