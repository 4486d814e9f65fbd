import { afterAll, beforeAll, expect, test } from "vitest";
import { freshName } from "./kit/people.ts";
import { type Place, startPlace } from "./kit/place.ts";

const CLIENT = "https://client.example";
const EVIL = "https://evil.example";

let place: Place;
beforeAll(async () => {
  place = await startPlace({ CORS_ORIGINS: CLIENT });
});
afterAll(() => place.stop());

function ask(path: string, origin: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${place.url}${path}`, { ...init, headers: { origin, ...(init.headers as Record<string, string>) } });
}
const corsOf = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith("access-control"));

test("[CORS2] a client of a named origin signs in, asks and connects; a page of any other reads nothing", async () => {
  const preflight = { method: "OPTIONS", headers: { "access-control-request-method": "POST" } };
  for (const path of ["/api/auth/login", "/api/users/@me", "/socket.io/?EIO=4&transport=polling"]) {
    const allowed = await ask(path, CLIENT, preflight);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")], path).toEqual([204, CLIENT]);
    const refused = await ask(path, EVIL, preflight);
    expect([refused.ok, corsOf(refused)], path).toEqual([false, []]);
  }

  const body = JSON.stringify({ username: freshName(), password: "correct horse" });
  const json = { method: "POST", headers: { "content-type": "application/json" }, body };
  const made = await ask("/api/auth/register", CLIENT, json);
  expect([made.status, made.headers.get("access-control-allow-credentials")]).toEqual([201, "true"]);
  const { accessToken } = (await made.json()) as { accessToken: string };
  const authorization = `Bearer ${accessToken}`;
  const self = await ask("/api/users/@me", CLIENT, { headers: { authorization } });
  expect([self.status, self.headers.get("access-control-allow-origin")]).toEqual([200, CLIENT]);
  const polled = await ask("/socket.io/?EIO=4&transport=polling", CLIENT);
  expect([polled.status, polled.headers.get("access-control-allow-origin")]).toEqual([200, CLIENT]);

  const stranger = await ask("/api/auth/register", EVIL, json);
  expect([stranger.status, corsOf(stranger)]).toEqual([403, []]);
  expect(corsOf(await ask("/api/users/@me", EVIL, { headers: { authorization } }))).toEqual([]);
  // Not the pages themselves, health, metrics or what scripts of the operator ask.
  for (const path of ["/", "/health", "/metrics", "/operator/sfu"])
    expect(corsOf(await ask(path, CLIENT)), path).toEqual([]);
});

test("[CORS3] what a browser says came from another site is refused where the cookie counts, without an Origin too", async () => {
  for (const [site, status] of [
    ["cross-site", 403],
    ["same-site", 403],
    ["same-origin", 401],
    ["none", 401],
  ] as const) {
    const answer = await fetch(`${place.url}/api/auth/refresh`, {
      method: "POST",
      headers: { "sec-fetch-site": site },
    });
    expect(answer.status, site).toBe(status);
  }
});
