import type { SignedIn } from "@lescopains/protocol/rest";
import { describe, expect, test, vi } from "vitest";
import { fakeBeats, FakeClock, FakePage, FakeWire, settle } from "../sync/fakes.ts";
import { createSocket } from "./socket.ts";

const SESSION = "018f0000-0000-7000-8000-0000000000ee";
const READY = {
  user: {
    id: "018f0000-0000-7000-8000-0000000000aa",
    username: "ana",
    displayName: "Ana",
    email: null,
    totpEnabled: false,
    operator: false,
    createdAt: "2026-11-22T10:00:00.000Z",
  },
  servers: [],
  dms: [],
  presences: [],
  voice: [],
  blocked: [],
  sessionId: SESSION,
  generation: "018f0000-0000-4000-8000-0000000000a1",
  deviceId: null,
};

function setUp() {
  const [clock, page, wire] = [new FakeClock(), new FakePage(), new FakeWire()];
  let token = "first";
  const access = {
    token: vi.fn(async () => token),
    renew: vi.fn(async () => (token = "renewed")),
    restore: vi.fn(async (): Promise<SignedIn> => await Promise.reject(new Error("not asked"))),
    accept: vi.fn(),
    end: vi.fn(),
  };
  const socket = createSocket({ openWire: wire.open, access, clock, page, beats: fakeBeats(clock), random: () => 1 });
  return { clock, page, wire, access, socket };
}

async function connected() {
  const kit = setUp();
  kit.socket.start();
  await settle();
  kit.wire.push("ready", READY);
  return kit;
}

describe("socket", () => {
  test("[SO1] it is connected when `ready` came, not before", async () => {
    const { socket, wire, clock } = setUp();
    socket.start();
    await settle();
    expect(wire.tokens).toEqual(["first"]);
    expect(socket.state.value).toEqual({ kind: "connecting", sinceMs: clock.now() });
    await expect(socket.emit("typing:start", { channelId: SESSION })).rejects.toMatchObject({
      code: "unavailable",
    });
    wire.push("ready", READY);
    expect(socket.state.value.kind).toBe("connected");
  });

  test("[SO2] people are told of a lost connection after 2 s, not of a shorter one", async () => {
    const { socket, wire, clock } = await connected();
    wire.cut();
    await clock.advance(1_900);
    expect(socket.notice.value).toBe("none");
    expect(wire.isOpen).toBe(true);
    wire.push("ready", READY);
    await clock.advance(5_000);
    expect(socket.notice.value).toBe("none");
    wire.cut();
    await clock.advance(2_100);
    expect(socket.notice.value).toBe("reconnecting");
  });

  test("[SO3] a token that ended is renewed and the connection comes back at once", async () => {
    const { wire, clock, access } = await connected();
    wire.cut(4401);
    await clock.advance(0);
    expect(access.renew).toHaveBeenCalledExactlyOnceWith("first");
    expect(wire.tokens).toEqual(["first", "renewed"]);
    wire.refuse({ code: "token_expired" });
    await clock.advance(1_100);
    expect(access.renew).toHaveBeenLastCalledWith("renewed");
  });

  test("[SO4] a revoked session signs out, told by close code, refusal or event; another session's end does not", async () => {
    const ways: ((wire: FakeWire) => void)[] = [
      (wire) => wire.cut(4403),
      (wire) => wire.refuse({ code: "session_revoked" }),
      (wire) => wire.push("session:revoked", { sessionId: SESSION }),
    ];
    for (const way of ways) {
      const { wire, access } = await connected();
      wire.push("session:revoked", { sessionId: "018f0000-0000-7000-8000-0000000000ff" });
      expect(access.end).not.toHaveBeenCalled();
      way(wire);
      expect(access.end).toHaveBeenCalledOnce();
    }
  });

  test("[SO5] it pings every 30 s and drops a line that stays silent for 10 s", async () => {
    const { wire, clock, socket } = await connected();
    await clock.advance(30_000);
    expect(wire.sent).toEqual(["presence:ping"]);
    wire.push("presence:pong", undefined);
    await clock.advance(30_000);
    expect(wire.sent).toHaveLength(2);
    expect(socket.state.value.kind).toBe("connected");
    await clock.advance(10_000);
    expect(socket.state.value.kind).toBe("connecting");
    expect(wire.tokens).toHaveLength(2);
  });

  test("[SO6] attempts are spread out up to 15 s, and the network's return is used at once", async () => {
    const { wire, clock, page, socket } = await connected();
    const delays: number[] = [];
    wire.cut();
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const before = clock.now();
      const opened = wire.tokens.length;
      while (wire.tokens.length === opened) await clock.advance(100);
      delays.push(Math.round((clock.now() - before) / 500) * 500);
      wire.cut();
    }
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    page.change({ online: false });
    expect(socket.state.value.kind).toBe("offline");
    const opened = wire.tokens.length;
    page.change({ online: true });
    await settle();
    expect(wire.tokens).toHaveLength(opened + 1);
  });

  test("[SO7] a handshake that never ends is given up after 15 s", async () => {
    const { socket, wire, clock } = setUp();
    socket.start();
    await clock.advance(16_000);
    expect(wire.tokens).toHaveLength(2);
  });

  test("[SO8] a refusal is thrown with its code; no answer and a wrong one are `unavailable`", async () => {
    const { socket, wire } = await connected();
    const send = () => socket.emit("typing:start", { channelId: SESSION });
    wire.answer = () => ({ ok: false, error: { code: "rate_limited", message: "slow", retryAfterMs: 900 } });
    await expect(send()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 900 });
    wire.answer = () => ({ yes: true });
    await expect(send()).rejects.toMatchObject({ code: "unavailable" });
    wire.answer = () => new Promise(() => undefined);
    const waiting = send();
    wire.cut();
    await expect(waiting).rejects.toMatchObject({ code: "unavailable" });
  });

  test("[SO11] what is insisted on just as the connection is made anew, as for another token, is said on the next", async () => {
    const { socket, wire } = await connected();
    wire.answer = () => new Promise(() => undefined);
    const inFlight = socket.insist("typing:start", { channelId: SESSION });
    wire.cut();
    const between = socket.insist("typing:start", { channelId: SESSION });
    wire.answer = () => ({ ok: true });
    await settle();
    expect(wire.bodies("typing:start")).toHaveLength(1);
    wire.push("ready", READY);
    await Promise.all([inFlight, between]);
    expect(wire.bodies("typing:start")).toHaveLength(3);
  });

  test("[SO11] what was refused, or not answered by a connection that stands, is not said again; without one it is told in time", async () => {
    const { socket, wire, clock } = await connected();
    const insist = () => socket.insist("typing:start", { channelId: SESSION });
    wire.answer = () => ({ ok: false, error: { code: "unavailable", message: "the database is away" } });
    await expect(insist()).rejects.toMatchObject({ code: "unavailable", message: "the database is away" });
    wire.cut();
    const late = insist().catch((error: unknown) => error);
    await clock.advance(11_000);
    expect(await late).toMatchObject({ code: "unavailable" });
    wire.push("ready", READY);
    await settle();
    expect(wire.bodies("typing:start")).toHaveLength(1);
  });

  test("[SO9] events that are not as the contract says reach nobody", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { socket, wire } = await connected();
    const listener = vi.fn();
    socket.on("typing", listener);
    wire.push("typing", { channelId: 7 });
    wire.push("__proto__", {});
    wire.push("typing", { channelId: SESSION, userId: SESSION });
    expect(listener).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  test("[SO10] after its end it does nothing more", async () => {
    const { socket, wire, clock } = await connected();
    socket.close();
    wire.cut();
    await clock.advance(120_000);
    expect(wire.tokens).toHaveLength(1);
    expect(wire.sent).toEqual([]);
  });
});
