import type { Self } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import type { SignedIn } from "@lescopains/protocol/rest";
import { describe, expect, test, vi } from "vitest";
import { FakeClock, FakeLocks, settle } from "../sync/fakes.ts";
import { createAccess } from "./access.ts";
import { ApiError, unavailable } from "./api-error.ts";

const ana: Self = {
  id: "018f0000-0000-7000-8000-0000000000aa" as UserId,
  username: "ana",
  displayName: "Ana",
  email: null,
  totpEnabled: false,
  operator: false,
  createdAt: "2026-11-22T10:00:00.000Z",
};

const leo: Self = { ...ana, id: "018f0000-0000-7000-8000-0000000000bb" as UserId, username: "leo" };

/** The server's side of refreshing: each cookie works once, and its reuse ends everything. */
class Family {
  user = ana;
  cookie = 1;
  ended = false;
  refreshes = 0;
  gate: Promise<void> = Promise.resolve();
  failure: ApiError | undefined;

  async refresh(): Promise<SignedIn> {
    const shown = this.cookie;
    this.refreshes += 1;
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    if (shown !== this.cookie) this.ended = true;
    if (this.ended) throw new ApiError({ code: "session_revoked", message: "reused" });
    this.cookie += 1;
    return { user: this.user, accessToken: `token ${this.cookie}`, expiresIn: 900 };
  }
}

function tab(family: Family, clock: FakeClock, locks: FakeLocks) {
  const onSignedIn = vi.fn();
  const onEnded = vi.fn();
  const access = createAccess({ refresh: () => family.refresh(), clock, locks, onSignedIn, onEnded });
  return { access, onSignedIn, onEnded };
}

describe("access", () => {
  test("[AC1] ten tabs that refresh at once never show the same cookie twice", async () => {
    const [family, clock, locks] = [new Family(), new FakeClock(), new FakeLocks()];
    const tabs = Array.from({ length: 10 }, () => tab(family, clock, locks));
    await Promise.all(tabs.map(({ access }) => access.restore()));
    expect(family.ended).toBe(false);
    expect(family.refreshes).toBe(10);
  });

  test("[AC2] within a tab all who need a token wait for one refresh", async () => {
    const [family, clock] = [new Family(), new FakeClock()];
    const { access } = tab(family, clock, new FakeLocks());
    await access.restore();
    const tokens = await Promise.all([access.renew("token 2"), access.renew("token 2"), access.renew("token 2")]);
    expect(tokens).toEqual(["token 3", "token 3", "token 3"]);
    expect(await access.renew("token 2")).toBe("token 3");
    expect(family.refreshes).toBe(2);
  });

  test("[AC3] a token is renewed a minute before its end, and before use when a sleep overslept that", async () => {
    const [family, clock] = [new Family(), new FakeClock()];
    const { access } = tab(family, clock, new FakeLocks());
    await access.restore();
    await clock.advance(839_000);
    expect(family.refreshes).toBe(1);
    await clock.advance(2_000);
    expect(family.refreshes).toBe(2);
    family.failure = unavailable("away");
    await clock.advance(841_000);
    family.failure = undefined;
    await clock.advance(55_000);
    expect(await access.token()).toBe("token 4");
  });

  test("[AC4] a refresh refused with 401 signs out; a server that is away does not", async () => {
    const [family, clock] = [new Family(), new FakeClock()];
    const { access, onEnded } = tab(family, clock, new FakeLocks());
    await access.restore();
    family.failure = unavailable("away");
    await expect(access.renew("token 2")).rejects.toMatchObject({ code: "unavailable" });
    expect(onEnded).not.toHaveBeenCalled();
    family.failure = new ApiError({ code: "unauthenticated", message: "no" });
    await expect(access.renew("token 2")).rejects.toMatchObject({ code: "unauthenticated" });
    expect(onEnded).toHaveBeenCalledOnce();
    await expect(access.token()).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("[AC6] what one person asks is not asked in the name of another who signed in meanwhile", async () => {
    const [family, clock] = [new Family(), new FakeClock()];
    const { access, onSignedIn } = tab(family, clock, new FakeLocks());
    await access.restore();
    // From another tab.
    family.user = leo;
    await expect(access.renew("token 2")).rejects.toMatchObject({ code: "unauthenticated" });
    expect(onSignedIn).toHaveBeenLastCalledWith(expect.objectContaining({ user: leo }));
    expect(await access.token()).toBe("token 3");
    // Ana's, whose refusal comes only now.
    await expect(access.renew("token 2")).rejects.toMatchObject({ code: "unauthenticated" });
    family.failure = unavailable("away");
    await clock.advance(895_000);
    family.failure = undefined;
    family.user = ana;
    await expect(access.token()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await access.renew("token 4")).toBe("token 5");
  });

  test("[AC5] an answer that comes after the sign-out signs nobody in", async () => {
    const [family, clock] = [new Family(), new FakeClock()];
    const { access, onSignedIn } = tab(family, clock, new FakeLocks());
    const gate = Promise.withResolvers<void>();
    family.gate = gate.promise;
    const restored = access.restore();
    await settle();
    access.end();
    gate.resolve();
    await restored;
    expect(onSignedIn).not.toHaveBeenCalled();
    await expect(access.token()).rejects.toMatchObject({ code: "unauthenticated" });
  });
});
