import type { UserId } from "@lescopains/protocol/ids";
import { ApiError } from "../net/api-error.ts";
import { singleFlight } from "../sync/single-flight.ts";
import { encodeDirect } from "./content.ts";
import { queueEnvelopes } from "./envelopes.ts";
import { readRow, writeRow } from "./history.ts";
import { noEffects, tellEffects, unlessOffline } from "./inbox.ts";
import { isWorldly, type Kit } from "./kit.ts";
import { devicesOf } from "./peers.ts";
import { type Address, addressText, codecs, type HealRecord, KEY } from "./records.ts";
import { beginSessions, ownDevice, withoutSession } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

/** Asks for what could not be read, over a fresh session, three times at most. */
export interface Healer {
  readonly run: () => Promise<void>;
  readonly close: () => void;
}

const TRIES_MAX = 3;
const AGAIN_AFTER_MS = 60_000;
const ASKED_AT_ONCE = 100;

export function createHealer(kit: Kit, toSend: () => void): Healer {
  let cancel: (() => void) | undefined;
  let closed = false;

  const run = singleFlight(async () => {
    cancel?.();
    if (closed || !kit.connected()) return;
    try {
      const all = await kit.store.exclusive(readAll);
      const nowMs = kit.clock.now();
      const due = all.filter(({ notBeforeMs }) => notBeforeMs <= nowMs);
      const given = due.filter(({ tries }) => tries >= TRIES_MAX);
      if (given.length > 0) await giveUp(given);
      const asking = due.filter(({ tries }) => tries < TRIES_MAX).slice(0, ASKED_AT_ONCE);
      if (asking.length > 0) await ask(asking);
      await schedule();
    } catch (error) {
      if (kit.connected() && !isWorldly(error)) console.error("keys: healing stopped", error);
      later(AGAIN_AFTER_MS);
    }
  });

  function later(delayMs: number): void {
    if (!closed) cancel = kit.clock.after(delayMs, () => void run());
  }

  async function schedule(): Promise<void> {
    const all = await kit.store.exclusive(readAll);
    if (all.length === 0) return;
    later(Math.max(0, Math.min(...all.map(({ notBeforeMs }) => notBeforeMs)) - kit.clock.now()));
  }

  async function ask(wanted: readonly HealRecord[]): Promise<void> {
    const askedOf = new Map<string, { readonly device: Address; readonly heals: HealRecord[] }>();
    await kit.store.exclusive(async (unit) => {
      const own = await ownDevice(unit);
      for (const heal of wanted) {
        for (const device of await answerers(unit, heal, { userId: kit.selfId, deviceId: own.deviceId })) {
          const of = askedOf.get(addressText(device)) ?? { device, heals: [] };
          askedOf.set(addressText(device), of);
          of.heals.push(heal);
        }
      }
    });
    const groups = [...askedOf.values()];
    // The session may be what is broken: the request, and the answer, travel in a new one.
    for (const [, devices] of Map.groupBy(groups, ({ device }) => device.userId)) {
      await beginSessions(
        kit,
        devices.map(({ device }) => device),
        true,
      ).catch(unlessGone);
    }
    await kit.store.exclusive(async (unit) => {
      const own = await ownDevice(unit);
      const open = await stillWanted(unit, wanted);
      for (const { device, heals: all } of groups) {
        const heals = all.filter((heal) => open.has(heal));
        if (heals.length === 0) continue;
        const [missing] = await withoutSession(kit, unit, await devicesListed(unit, device));
        if (missing !== undefined) continue;
        const m = heals.map(({ channelId, id }) => ({ c: channelId, id }));
        await queueEnvelopes(kit, unit, own, [device], encodeDirect({ k: "retry", m }));
      }
      for (const heal of open) {
        const tries = heal.tries + 1;
        const notBeforeMs = kit.clock.now() + AGAIN_AFTER_MS * 2 ** heal.tries;
        unit.put(KEY.heal(heal.channelId, heal.seq), codecs.heal, { ...heal, tries, notBeforeMs });
      }
      await unit.commit();
    });
    toSend();
  }

  async function giveUp(wanted: readonly HealRecord[]): Promise<void> {
    for (const heal of wanted) {
      const { channelId, seq } = heal;
      const effects = noEffects();
      await kit.store.exclusive(async (unit) => {
        if (!(await stillWanted(unit, [heal])).has(heal)) return;
        unit.drop(KEY.heal(channelId, seq));
        const row = await readRow(unit, channelId, seq);
        if (row?.value.failure != null) {
          const value = { ...row.value, failure: { ...row.value.failure, givenUp: true } };
          writeRow(unit, { ...row, value }, kit.mark());
          effects.rows.set(row.id, { ...row, value });
        }
        await unit.commit();
      });
      await tellEffects(kit, channelId, effects);
    }
  }

  return {
    run,
    close() {
      closed = true;
      cancel?.();
    },
  };
}

/** Who is out of reach, or not to be believed, is not asked; others are. */
export function unlessGone(error: unknown): void {
  if (error instanceof ApiError && error.code === "not_found") return;
  unlessOffline(error);
}

async function readAll(unit: Unit): Promise<HealRecord[]> {
  const all: HealRecord[] = [];
  for (const key of await unit.keys("heal/")) {
    const heal = await unit.get(key, codecs.heal);
    if (heal !== undefined) all.push(heal);
  }
  return all;
}

/** Those that have not healed, and that nobody has asked for, since they were read. */
async function stillWanted(unit: Unit, wanted: readonly HealRecord[]): Promise<ReadonlySet<HealRecord>> {
  const open = new Set<HealRecord>();
  for (const heal of wanted) {
    const now = await unit.get(KEY.heal(heal.channelId, heal.seq), codecs.heal);
    if (now?.tries === heal.tries) open.add(heal);
  }
  return open;
}

/** First the device that sent it, while it is on its account's list; then all others that have it: the author's and our own. */
async function answerers(unit: Unit, { authorId, deviceId, tries }: HealRecord, own: Address): Promise<Address[]> {
  const devices = await devicesOf(unit, [...new Set([authorId, own.userId])], own);
  const sender = devices.filter((device) => device.userId === authorId && device.deviceId === deviceId);
  return sender.length > 0 && tries === 0 ? sender : devices;
}

async function devicesListed(unit: Unit, { userId, deviceId }: Address) {
  const none = { userId: "" as UserId, deviceId: 0 };
  return (await devicesOf(unit, [userId], none)).filter((device) => device.deviceId === deviceId);
}
