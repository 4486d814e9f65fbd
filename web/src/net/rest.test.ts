import type { ServerId } from "@lescopains/protocol/ids";
import { REST, type SignedIn } from "@lescopains/protocol/rest";
import { describe, expect, test, vi } from "vitest";
import type { Access } from "./access.ts";
import { createCalls } from "./rest.ts";

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

function refusal(code: string, status: number): Response {
  return json({ error: { code, message: "no", retryAfterMs: 1_500 } }, status);
}

describe("rest", () => {
  test("[RC1] a call fills the path, the query and the body of its route", async () => {
    const { fetch, asked } = answers(json(PAGE), new Response(null, { status: 204 }));
    const api = createCalls(fetch, access(), REST);
    await api.call("listMembers", { params: { id: SERVER }, query: { limit: 10, after: undefined } });
    await api.call("ban", { params: { id: SERVER, userId: SERVER as never }, body: { reason: "spam" } });
    expect(asked[0]?.url).toBe(`/api/servers/${SERVER}/members?limit=10`);
    expect(asked[0]?.init.headers).toMatchObject({ authorization: "Bearer old" });
    expect(asked[1]?.init).toMatchObject({ method: "PUT", body: '{"reason":"spam"}' });
  });

  test("[RC2] a token that has ended is renewed once and the call repeated", async () => {
    const { fetch, asked } = answers(refusal("token_expired", 401), json(PAGE));
    const keys = access();
    await createCalls(fetch, keys, REST).call("listMembers", { params: { id: SERVER } });
    expect(keys.renew).toHaveBeenCalledExactlyOnceWith("old");
    expect(asked[1]?.init.headers).toMatchObject({ authorization: "Bearer new" });
    const again = answers(refusal("token_expired", 401), refusal("token_expired", 401));
    await expect(
      createCalls(again.fetch, access(), REST).call("listMembers", { params: { id: SERVER } }),
    ).rejects.toMatchObject({ code: "token_expired" });
    expect(again.asked).toHaveLength(2);
  });

  test("[RC3] a refusal keeps its code and its wait; a revoked session ends here too", async () => {
    const keys = access();
    const { fetch } = answers(refusal("rate_limited", 429), refusal("session_revoked", 401));
    const api = createCalls(fetch, keys, REST);
    await expect(api.call("getSelf")).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 1_500, retry: true });
    await expect(api.call("getSelf")).rejects.toMatchObject({ code: "session_revoked" });
    expect(keys.end).toHaveBeenCalledOnce();
  });

  test("[RC4] no network, a proxy's page and an answer that is not the contract's are all `unavailable`", async () => {
    const { fetch } = answers(
      new TypeError("fetch failed"),
      new Response("<h1>Bad gateway</h1>", { status: 502 }),
      json({ hello: "world" }),
      new Response("<h1>Slow down</h1>", { status: 429, headers: { "retry-after": "3" } }),
    );
    const api = createCalls(fetch, access(), REST);
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(api.call("getSelf")).rejects.toMatchObject({ code: "unavailable" });
    }
    await expect(api.call("getSelf")).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 3_000 });
  });

  test("[RC5] routes of the cookie send no token, and outlive the tab", async () => {
    const { fetch, asked } = answers(new Response(null, { status: 204 }));
    const keys = access();
    await createCalls(fetch, keys, REST).call("logout");
    expect(keys.token).not.toHaveBeenCalled();
    expect(asked[0]?.init).toMatchObject({ keepalive: true, credentials: "same-origin" });
  });
});
