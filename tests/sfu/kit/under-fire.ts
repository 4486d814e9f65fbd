import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { ChannelId, JoinId } from "@lescopains/protocol/ids";
import { join, type Joined } from "./client.ts";
import { newJoin, newRoom } from "./edge.ts";
import { eventually } from "./eventually.ts";
import { type SfuProcess, startSfuProcess } from "./process.ts";
import { type Registry, secret, startRegistry } from "./registry.ts";
import { type SpokenCall, startSpokenCall } from "./spoken-call.ts";

const metricsToken = "let me see";

/** A node with the real mediasoup, and two people in a call on it, while everything else of a test file happens. */
export interface UnderFire {
  readonly sfu: SfuProcess;
  readonly registry: Registry;
  readonly call: SpokenCall;
  readonly room: ChannelId;
  /** The stay of the call's listener. */
  readonly listener: JoinId;
  /** An address that nobody else has come from: joins are limited by it. */
  readonly newAddress: () => string;
  /** Somebody by socket, from an address of their own. */
  readonly newcomer: (claims?: object) => Promise<Joined>;
  /** What `/metrics` says. */
  readonly gauge: (name: string) => Promise<number>;
}

/**
 * For the whole of a test file, called at its top. After each test the call goes on, nothing of it was lost, no worker died, and nothing happened
 * that nobody had foreseen.
 */
export function underFire(env: Readonly<Record<string, string>> = {}): () => UnderFire {
  /** Newest first. */
  const ends: (() => Promise<void> | void)[] = [];
  const atEnd = (end: () => Promise<void> | void): void => void ends.unshift(end);
  let place: UnderFire | undefined;
  const here = (): UnderFire => {
    if (place === undefined) throw new Error("it has not begun");
    return place;
  };
  beforeAll(async () => {
    const registry = await startRegistry({ atEnd });
    const known = { METRICS_TOKEN: metricsToken, SFU_REGISTRY_URL: registry.url, SFU_SECRET: secret, ...env };
    const sfu = await startSfuProcess(known, atEnd);
    const [room, listener] = [newRoom(), newJoin()];
    const tokens = {
      speaker: await sfu.edge.token({ room }),
      listener: await sfu.edge.token({ room, joinId: listener }),
    };
    const call = await startSpokenCall(sfu.url, tokens, atEnd);
    let strangers = 0;
    const newAddress = (): string => {
      strangers += 1;
      return `198.51.${strangers >> 8}.${strangers & 0xff}`;
    };
    place = {
      sfu,
      registry,
      call,
      room,
      listener,
      newAddress,
      newcomer: async (claims = {}) => join(sfu.url, await sfu.edge.token(claims), { address: newAddress() }),
      gauge: async (name) => {
        const response = await fetch(`${sfu.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
        const value = new RegExp(`^lescopains_sfu_${name}(?:{.*})? (.+)$`, "m").exec(await response.text())?.[1];
        if (value === undefined) throw new Error(`no ${name}`);
        return Number(value);
      },
    };
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  afterEach(async () => {
    const { call, sfu } = here();
    const before = call.heard;
    await eventually(() => expect(call.heard).toBeGreaterThan(before + 5));
    expect(call.lost).toBe(0);
    expect(sfu.workerPids()).toHaveLength(1);
    const errors = sfu
      .log()
      .split("\n")
      .filter((line) => line.includes('"level":"error"'));
    expect(errors).toEqual([]);
  });
  return here;
}
