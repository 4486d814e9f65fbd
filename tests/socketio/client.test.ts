import { type ManagerOptions, io, type Socket, type SocketOptions } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { modes } from "./modes.ts";
import { type Probe, startProbe } from "./probe.ts";
import { until } from "./wire.ts";

const transports: { transport: string; options: Partial<ManagerOptions> }[] = [
  { transport: "polling and then upgrade, as by default", options: {} },
  { transport: "WebSocket only", options: { transports: ["websocket"] } },
  { transport: "polling only", options: { transports: ["polling"] } },
];

describe.each(modes)("the official client, $mode", ({ hibernate }) => {
  let probe: Probe;
  const open: Socket[] = [];
  beforeAll(async () => {
    probe = await startProbe({ settings: { hibernate, connectTimeoutMs: 2_000 } });
  });
  afterAll(() => probe.stop());
  afterEach(() => {
    for (const socket of open.splice(0)) socket.disconnect();
  });

  async function connect(options: Partial<ManagerOptions & SocketOptions> = {}, namespace = "/"): Promise<Socket> {
    const socket = io(`${probe.url}${namespace}`, { forceNew: true, ...options });
    open.push(socket);
    await until(() => socket.connected);
    return socket;
  }

  describe.each(transports)("$transport", ({ options }) => {
    test("[IO50] connects, and ends on the best transport it may use", async () => {
      const socket = await connect(options);
      const expected = options.transports?.[0] === "polling" ? "polling" : "websocket";
      await until(() => socket.io.engine.transport.name === expected);
      expect(await socket.timeout(2_000).emitWithAck("echo", "still here")).toBe("still here");
    });

    test("[IO50] loses nothing that is sent while it upgrades", async () => {
      const socket = await connect(options);
      const sent = Array.from({ length: 200 }, (_, n) => n);
      const answers = await Promise.all(sent.map((n) => socket.timeout(5_000).emitWithAck("echo", n)));
      expect(answers).toEqual(sent);
    });

    test("[IO51] events, acknowledgements and binary work in both directions", async () => {
      const socket = await connect(options);
      const echoed = new Promise<unknown[]>((resolve) => {
        socket.once("echoed", (...args: unknown[]) => resolve(args));
      });
      socket.emit("echo", 1, { deep: [Buffer.from([1, 2, 255])] }, "ö");
      const [one, { deep }, text] = (await echoed) as [number, { deep: Buffer[] }, string];
      expect([one, text]).toEqual([1, "ö"]);
      expect(Buffer.from(deep[0] ?? "")).toEqual(Buffer.from([1, 2, 255]));

      const answer: unknown = await socket.timeout(2_000).emitWithAck("echo", Buffer.alloc(60_000, 7));
      expect(Buffer.from(answer as Buffer)).toEqual(Buffer.alloc(60_000, 7));

      socket.once("question", (data: unknown, reply: (answer: unknown) => void) =>
        reply({ data, by: Buffer.from("me") }),
      );
      const reply: unknown = await socket.timeout(4_000).emitWithAck("ask me", "well?");
      expect(reply).toMatchObject([{ data: "well?" }]);
    });

    test("[IO51] a refusal reaches the client as an error with data", async () => {
      const socket = io(probe.url, { ...options, forceNew: true, auth: { refuse: "members only" } });
      open.push(socket);
      const error = await new Promise<Error & { data?: unknown }>((resolve) => socket.once("connect_error", resolve));
      expect([error.message, error.data]).toEqual(["members only", { code: "refused" }]);
    });

    test("[IO52] rooms and broadcasts reach those who are meant", async () => {
      const [ada, bob, eve] = await Promise.all([connect(options), connect(options), connect(options)]);
      const heard: string[] = [];
      for (const [name, socket] of Object.entries({ ada, bob, eve })) {
        socket.on("told", (what: string) => heard.push(`${name} ${what}`));
      }
      await ada.timeout(2_000).emitWithAck("join", "a", "b");
      await bob.timeout(2_000).emitWithAck("join", "a");
      await eve.timeout(2_000).emitWithAck("join", "c");
      expect(await eve.timeout(2_000).emitWithAck("tell room", "a", "hello")).toBe(2);
      await until(() => heard.length === 2);
      expect(await ada.timeout(2_000).emitWithAck("leave", "a")).toEqual(["b"]);
      expect(await eve.timeout(2_000).emitWithAck("tell room", "a", "again")).toBe(1);
      expect(await eve.timeout(2_000).emitWithAck("tell room", "nobody's", "lost")).toBe(0);
      expect(await ada.timeout(2_000).emitWithAck("tell all", "all")).toBeGreaterThanOrEqual(3);
      await until(() => heard.length === 6);
      expect(heard.slice(0, 2).toSorted()).toEqual(["ada hello", "bob hello"]);
      expect(heard[2]).toBe("bob again");
      expect(heard.slice(3).toSorted()).toEqual(["ada all", "bob all", "eve all"]);
    });

    test("[IO53] comes back by itself after a close with a code, and stays away after a disconnect", async () => {
      const socket = await connect({ ...options, reconnectionDelay: 10 });
      const firstId = socket.id;
      socket.emit("disconnect me", { close: true, code: 4001, reason: "token expired" });
      await until(() => socket.connected && socket.id !== firstId);
      const reason = new Promise<string>((resolve) => socket.once("disconnect", resolve));
      socket.emit("disconnect me", { close: true });
      expect(await reason).toBe("io server disconnect");
      expect(socket.active).toBe(false);
    });
  });

  test("[IO52] one broadcast reaches WebSockets, pollers and several namespaces alike", async () => {
    const sockets = [
      await connect({ transports: ["websocket"], auth: { name: "w" } }),
      await connect({ transports: ["polling"], auth: { name: "p" } }),
      await connect({ transports: ["websocket"], auth: { name: "o" } }, "/other"),
    ];
    const heard: unknown[] = [];
    for (const socket of sockets) socket.on("news", (news: unknown) => heard.push(news));
    expect(await probe.broadcast({ hot: "off the press" })).toBeGreaterThanOrEqual(3);
    await until(() => heard.length === 3);
    expect(heard).toEqual([{ hot: "off the press" }, { hot: "off the press" }, { hot: "off the press" }]);
  });

  test("[IO50] two namespaces share one connection, and each may leave alone", async () => {
    const main = await connect({ forceNew: false, multiplex: true });
    const other = main.io.socket("/other", {});
    open.push(other);
    other.connect();
    await until(() => other.connected);
    expect(other.io.engine.id).toBe(main.io.engine.id);
    other.disconnect();
    expect(await main.timeout(2_000).emitWithAck("echo", 1)).toBe(1);
  });
});
