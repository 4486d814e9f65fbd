import { equal } from "../bytes.ts";
import { type CallEffect, CallKeys } from "../frames/call-keys.ts";
import type { Member } from "../frames/member.ts";
import { type FrameKey, keyContext, nextSecret } from "../frames/schedule.ts";
import type { Address } from "../session/address.ts";
import { seededRandom } from "./seeded-random.ts";

export const callId = "00000000-0000-4000-8000-0000000000ca";
const random = seededRandom("call keys");

export function uuid(kind: string, number: number): string {
  return `${kind.repeat(8)}-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** A device in the call: what its effects come to. */
export class Device {
  readonly member: Member;
  readonly keys: CallKeys;
  /** Newest last. */
  readonly encrypted: { readonly key: FrameKey; readonly atMs: number }[] = [];
  readonly decrypts = new Map<string, Map<number, FrameKey>>();
  readonly sent: { readonly to: Address; readonly body: Uint8Array; readonly anew: boolean }[] = [];
  isOver = false;

  constructor(user: number, join: number) {
    this.member = { accountId: uuid("a", user), deviceId: 1, joinId: uuid("b", join) };
    this.keys = new CallKeys(random, callId, this.member);
  }

  take(effects: readonly CallEffect[], nowMs: number): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          for (const to of effect.to) this.sent.push({ to, body: effect.body, anew: effect.anew });
          break;
        case "encryptWith":
          this.encrypted.push({ key: effect.key, atMs: nowMs });
          break;
        case "decryptWith": {
          const { key, member } = effect;
          const epochs = this.decrypts.get(member.joinId) ?? new Map<number, FrameKey>();
          this.decrypts.set(member.joinId, epochs.set(key.epoch, key));
          break;
        }
        case "forget":
          this.decrypts.delete(effect.joinId);
          break;
        case "over":
          this.isOver = true;
      }
    }
  }

  get sends(): FrameKey {
    return this.encrypted.at(-1)!.key;
  }

  /** Whether a frame that `from` encrypts with `key` opens here: from a step that was given, forward. */
  reads(from: Device, key: FrameKey): boolean {
    const given = this.decrypts.get(from.member.joinId)?.get(key.epoch);
    if (given === undefined || given.step > key.step) return false;
    const context = keyContext(callId, from.member, key.epoch);
    let { secret } = given;
    for (let step = given.step + 1; step <= key.step; step++) secret = nextSecret(context, secret, step);
    return equal(secret, key.secret);
  }
}

/** Everything that was sent reaches its device now; `lost` says which does not. */
export function deliver(devices: readonly Device[], nowMs: number, lost: () => boolean = () => false): void {
  for (let quiet = false; !quiet;) {
    quiet = true;
    for (const device of devices) {
      for (const { to, body } of device.sent.splice(0)) {
        quiet = false;
        if (lost()) continue;
        for (const reader of devices) {
          if (reader.member.accountId !== to.accountId || reader === device) continue;
          reader.take(reader.keys.message(device.member, body, nowMs), nowMs);
        }
      }
    }
  }
}

export function tell(devices: readonly Device[], epoch: number, nowMs: number, about = devices): void {
  const members = about.map(({ member }) => member);
  for (const device of devices) device.take(device.keys.roster({ epoch, members }, nowMs), nowMs);
}

/** A call in which everyone has everyone's key. */
export function call(count: number): Device[] {
  const devices: Device[] = [];
  for (let index = 1; index <= count; index++) {
    devices.push(new Device(index, index));
    tell(devices, index, 0);
    deliver(devices, 0);
  }
  return devices;
}
