import { LIMITS } from "@lescopains/protocol/limits";
import type { OutgoingEnvelope } from "@lescopains/protocol/keys";
import * as v from "valibot";
import { ApiError } from "../net/api-error.ts";
import type { Kit } from "./kit.ts";
import { type Address, codecs, KEY } from "./records.ts";
import { encryptFor, type OwnDevice } from "./sessions.ts";
import type { Unit } from "./store/store.ts";

type Outgoing = v.InferOutput<typeof OutgoingEnvelope>;

const Full = v.object({ devices: v.array(v.looseObject({ userId: v.string(), deviceId: v.number() })) });

/** A number for what is written next: envelopes and messages leave in this order. */
export async function nextNumber(unit: Unit): Promise<number> {
  const mailbox = (await unit.get(KEY.mailbox, codecs.mailbox)) ?? { received: 0, nextOut: 1 };
  unit.put(KEY.mailbox, codecs.mailbox, { ...mailbox, nextOut: mailbox.nextOut + 1 });
  return mailbox.nextOut;
}

/** Encrypts `plaintext` for each device and keeps what is to be sent. Sessions must be there. */
export async function queueEnvelopes(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  devices: readonly Address[],
  plaintext: Uint8Array,
): Promise<void> {
  const messages: Outgoing[] = [];
  for (const device of devices) {
    const ciphertext = await encryptFor(kit, unit, own, device, plaintext);
    messages.push({ toUserId: device.userId, toDeviceId: device.deviceId, ...ciphertext });
  }
  const half = LIMITS.envelopesSend / 2;
  for (let at = 0; at < messages.length; at += half) {
    const n = await nextNumber(unit);
    unit.put(KEY.envelopes(n), codecs.envelopes, { n, messages: messages.slice(at, at + half) });
  }
}

/** Sends all envelopes that wait. Those for devices that are gone, or that have too many waiting, are given up: whoever misses them asks. */
export async function flushEnvelopes(kit: Kit): Promise<void> {
  for (;;) {
    const next = await kit.store.exclusive(async (unit) => {
      const [key] = await unit.keys("envelopes/");
      return key === undefined ? undefined : await unit.get(key, codecs.envelopes);
    });
    if (next === undefined) return;
    await sendEnvelopes(kit, next.messages);
    await kit.store.exclusive(async (unit) => {
      unit.drop(KEY.envelopes(next.n));
      await unit.commit();
    });
  }
}

async function sendEnvelopes(kit: Kit, messages: readonly Outgoing[]): Promise<void> {
  if (messages.length === 0) return;
  try {
    await kit.server.emit("keys:send", { messages: [...messages] });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "queue_full") {
      const full = v.safeParse(Full, error.details);
      const devices = new Set(full.success ? full.output.devices.map(textOf) : []);
      const others = messages.filter(({ toUserId, toDeviceId }) => {
        return !devices.has(textOf({ userId: toUserId, deviceId: toDeviceId }));
      });
      if (others.length === messages.length) throw error;
      await sendEnvelopes(kit, others);
      return;
    }
    if (error.retry || error.code === "device_required" || error.code === "token_expired") throw error;
    // One of them cannot be sent, for good: all the others can.
    if (messages.length > 1) for (const message of messages) await sendEnvelopes(kit, [message]);
  }
}

function textOf({ userId, deviceId }: { readonly userId: string; readonly deviceId: number }): string {
  return `${userId}/${deviceId}`;
}
