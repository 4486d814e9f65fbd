import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId, JoinId, ServerId, SessionId, UserId } from "@lescopains/protocol/ids";
import { PERMISSIONS } from "@lescopains/protocol/permissions";
import { expect, test } from "vitest";
import type { Database } from "../../db/port.ts";
import type { Env } from "../../platform/env.ts";
import { Rights } from "./rights.ts";
import { Voice } from "./voice.ts";

const [ana, leo] = ["ana", "leo"] as UserId[] as [UserId, UserId];
const seat = {
  epoch: 1,
  joinId: "stay" as JoinId,
  userId: leo,
  sessionId: "session" as SessionId,
  deviceId: 1,
  muted: false,
  serverMuted: false,
  serverDeafened: false,
  node: "local",
  wasConnected: true,
  dueMs: null,
  callId: null,
  ringing: null,
  ringingUntil: null,
};

/** Léo in a voice channel; `refusals`: how many calls the registry refuses, as an actor that is just moved does. */
function setting(refusals: number) {
  const orders: string[] = [];
  const told: AnyDown[] = [];
  let left = refusals;
  const registry = async (_trace: unknown, order: string, args: readonly unknown[]): Promise<void> => {
    if ((left -= 1) >= 0) throw new Error("this actor is just being moved");
    orders.push([order, ...args.slice(2)].join(" "));
  };
  const actor = (traced: (trace: unknown, name: string, args: readonly unknown[]) => Promise<unknown>) => ({
    idFromName: (name: string) => name,
    get: () => ({ traced }),
  });
  const rows: Readonly<Record<string, () => object[]>> = {
    "voice.of_channel": () => [seat],
    "voice.server_flags": () => [{ userId: leo }],
    "voice.close": () => [{ joinId: seat.joinId, epoch: 2 }],
  };
  const voice = new Voice({
    id: "channel" as ChannelId,
    db: { query: async ({ name }: { name: string }) => rows[name]?.() ?? [] } as unknown as Database,
    env: {
      SFU_REGISTRY: actor(registry),
      SERVER: actor(async (_trace, name) => (name === "mayActOn" ? { ok: true } : undefined)),
      GATEWAY: actor(async () => undefined),
    } as unknown as Env,
    rights: new Rights(async () => Object.values(PERMISSIONS).reduce((all, one) => all | one, 0n)),
    channel: async () => ({
      access: { serverId: "server" as ServerId },
      direct: null,
      encrypted: true,
      isVoice: true,
      lastSeq: 0,
    }),
    tell: (_, events) => void told.push(...events),
  });
  return { voice, orders, told };
}

test("[VO25] an order that the registry refuses once, as while it is moved, is given again: who is muted is not heard, who is disconnected is out", async () => {
  const { voice, orders, told } = setting(1);
  expect(await voice.moderate(ana, leo, { muted: true })).toMatchObject({ ok: true });
  expect(orders).toEqual(["rights stay video,screen,listen"]);
  const another = setting(1);
  expect(await another.voice.remove(ana, leo)).toMatchObject({ ok: true });
  expect(another.orders).toEqual(["kick stay"]);
  expect([told.length, another.told.length]).toEqual([1, 1]);
});

test("[VO25] a mute that could not be ordered is refused, and ordered when it is asked for again", async () => {
  const { voice, orders } = setting(2);
  expect(await voice.moderate(ana, leo, { muted: true })).toMatchObject({ ok: false });
  expect(orders).toEqual([]);
  expect(await voice.moderate(ana, leo, { muted: true })).toMatchObject({ ok: true });
  expect(orders).toEqual(["rights stay video,screen,listen"]);
});
