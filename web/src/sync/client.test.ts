import type { Self } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { createClient, type LiveInputs } from "./client.ts";
import { FakeClock, FakeLocks, FakePage, FakeStorage, settle } from "./fakes.ts";
import type { Live } from "./live-types.ts";
import { self } from "./fake-server.ts";

const leo: Self = { ...self, id: "018f0000-0000-7000-8000-0000000000bb" as UserId, username: "leo" };

/** A server that answers each path with what the test says, and a `Live` that only counts its lives. */
function setUp() {
  const clock = new FakeClock();
  const answers = new Map<string, () => Response | Promise<Response>>();
  const lives: { readonly self: Self; closed: boolean }[] = [];
  let loads = 0;
  let loadFails = 0;
  const client = createClient({
    fetch: async (url) => {
      const answer = answers.get(url.split("/").at(-1) ?? "");
      if (answer === undefined) throw new TypeError("no network");
      return await answer();
    },
    clock,
    locks: new FakeLocks(),
    storage: new FakeStorage(),
    page: new FakePage(),
    randomUuid: () => "uuid",
    random: () => 1,
    loadLive: async () => {
      loads += 1;
      if (loadFails > 0) {
        loadFails -= 1;
        throw new TypeError("the chunk did not load");
      }
      return (inputs: LiveInputs) => {
        const life = { self: inputs.self, closed: false };
        lives.push(life);
        return {
          self: signal(inputs.self),
          close: () => (life.closed = true),
          setSelf: () => undefined,
        } as unknown as Live;
      };
    },
  });
  const signedIn = (user: Self) => () => Response.json({ user, accessToken: "token", expiresIn: 900 });
  const refused = (code: string, status: number) => () => Response.json({ error: { code, message: "no" } }, { status });
  return {
    client,
    clock,
    answers,
    lives,
    signedIn,
    refused,
    loads: () => loads,
    failLoads: (count: number) => (loadFails = count),
  };
}

describe("client", () => {
  test("[CL1] a session is restored by its cookie, and what comes after sign-in loads only then", async () => {
    const { client, answers, lives, signedIn, loads } = setUp();
    expect(client.session.value).toEqual({ kind: "restoring", unreachable: false });
    answers.set("refresh", signedIn(self));
    expect(loads()).toBe(0);
    client.restore();
    await settle();
    expect(client.session.value).toEqual({ kind: "signedIn", user: self });
    expect(client.live.value?.self.value).toEqual(self);
    expect(lives).toHaveLength(1);
  });

  test("[CL2] without a session it is signed out; without a server it asks again until there is one", async () => {
    const { client, clock, answers, refused } = setUp();
    client.restore();
    await settle();
    expect(client.session.value).toEqual({ kind: "restoring", unreachable: true });
    answers.set("refresh", refused("unauthenticated", 401));
    await clock.advance(60_000);
    expect(client.session.value).toEqual({ kind: "signedOut", ended: false });
  });

  test("[CL3] signing out shows at once and ends all that was the person's, even if the server can't be told", async () => {
    const { client, answers, lives, signedIn } = setUp();
    answers.set("login", signedIn(self));
    await client.login({ username: "ana", password: "correct horse" });
    await settle();
    const leaving = client.logout();
    expect(client.session.value).toEqual({ kind: "signedOut", ended: false });
    expect(client.live.value).toBeNull();
    expect(lives[0]?.closed).toBe(true);
    await expect(leaving).rejects.toMatchObject({ code: "unavailable" });
  });

  test("[CL4] a session that the server ended is told apart from one's own sign-out", async () => {
    const { client, answers, signedIn, refused } = setUp();
    answers.set("login", signedIn(self));
    answers.set("@me", refused("session_revoked", 401));
    await client.login({ username: "ana", password: "correct horse" });
    await settle();
    // Two requests in flight hear of it.
    const calls = [client.api.call("getSelf"), client.api.call("getSelf")];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "session_revoked" });
    expect(client.session.value).toEqual({ kind: "signedOut", ended: true });
    expect(client.live.value).toBeNull();
  });

  test("[CL5] another person's sign-in, from another tab, replaces everything of the first", async () => {
    const { client, clock, answers, lives, signedIn } = setUp();
    answers.set("login", signedIn(self));
    await client.login({ username: "ana", password: "correct horse" });
    await settle();
    answers.set("refresh", signedIn(leo));
    await clock.advance(850_000);
    expect(client.session.value).toEqual({ kind: "signedIn", user: leo });
    expect(lives.map((life) => [life.self.username, life.closed])).toEqual([
      ["ana", true],
      ["leo", false],
    ]);
  });

  test("[CL6] a chunk that did not load is asked for again", async () => {
    const { client, clock, answers, signedIn, failLoads, loads } = setUp();
    failLoads(2);
    answers.set("login", signedIn(self));
    await client.login({ username: "ana", password: "correct horse" });
    await clock.advance(5_000);
    expect(loads()).toBe(3);
    expect(client.live.value).not.toBeNull();
  });

  test("[CL6] for somebody who signed out meanwhile it is not", async () => {
    const { client, clock, answers, signedIn, failLoads, loads } = setUp();
    failLoads(100);
    answers.set("login", signedIn(self));
    answers.set("logout", () => new Response(null, { status: 204 }));
    await client.login({ username: "ana", password: "correct horse" });
    await clock.advance(100);
    expect(loads()).toBe(1);
    await client.logout();
    await clock.advance(60_000);
    expect(loads()).toBe(1);
  });

  test("[CL7] a refused sign-in changes nothing and says why", async () => {
    const { client, answers, refused } = setUp();
    answers.set("login", refused("totp_required", 401));
    await expect(client.login({ username: "ana", password: "x" })).rejects.toMatchObject({ code: "totp_required" });
    expect(client.session.value.kind).toBe("restoring");
  });

  test("[CL8] a refresh that was under way while the account changed does not bring back what it was", async () => {
    const { client, clock, answers, signedIn } = setUp();
    answers.set("login", signedIn(self));
    await client.login({ username: "ana", password: "correct horse" });
    await settle();
    const late = Promise.withResolvers<Response>();
    answers.set("refresh", () => late.promise);
    await clock.advance(850_000);
    client.setSelf({ ...self, operator: true });
    late.resolve(signedIn(self)());
    await settle();
    expect(client.session.value).toEqual({ kind: "signedIn", user: { ...self, operator: true } });
    // What a later one says is the latest.
    answers.set("refresh", signedIn(self));
    await clock.advance(850_000);
    expect(client.session.value).toEqual({ kind: "signedIn", user: self });
  });
});
