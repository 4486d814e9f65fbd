import { type CallEffect, CallKeys, type CallRoster } from "@lescopains/e2ee/frames/call-keys";
import type { FrameCodec, TrackRole } from "@lescopains/e2ee/frames/format";
import type { Member } from "@lescopains/e2ee/frames/member";
import { FrameReceiver, type Opened } from "@lescopains/e2ee/frames/receiver";
import { FrameSender } from "@lescopains/e2ee/frames/sender";
import type { Address } from "@lescopains/e2ee/session/address";
import type { Clock } from "../../sync/ports.ts";
import type { FromWorker } from "./link.ts";

/** Keys whose time is over are looked for this often. */
const EXPIRE_EVERY_MS = 1_000;

/** One stay in a call: its keys, what it sends and what it hears. */
export interface FrameSession {
  readonly roster: (roster: CallRoster) => void;
  readonly message: (from: Address, body: Uint8Array) => void;
  readonly seal: (role: TrackRole, codec: FrameCodec, frame: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly open: (joinId: string, role: TrackRole, frame: Uint8Array) => Promise<Opened>;
  readonly close: () => void;
}

export interface SessionWorld {
  readonly subtle: SubtleCrypto;
  readonly random: (length: number) => Uint8Array;
  /** Of any beginning, and never going back. */
  readonly clock: Clock;
  readonly tell: (message: FromWorker) => void;
}

export function createFrameSession(world: SessionWorld, callId: string, self: Member): FrameSession {
  const { subtle, random, clock, tell } = world;
  const keys = new CallKeys(random, callId, self);
  const sender = new FrameSender(subtle, callId, self);
  const receiver = new FrameReceiver(subtle, callId);
  let cancelWake = (): void => undefined;
  let cancelExpire = clock.after(EXPIRE_EVERY_MS, expire);

  function expire(): void {
    receiver.expire(clock.now());
    cancelExpire = clock.after(EXPIRE_EVERY_MS, expire);
  }

  function wake(): void {
    perform(keys.tick(clock.now()));
  }

  function perform(effects: readonly CallEffect[]): void {
    for (const effect of effects) performOne(effect);
    cancelWake();
    const atMs = keys.wakeAtMs();
    if (atMs !== Number.POSITIVE_INFINITY) cancelWake = clock.after(Math.max(0, atMs - clock.now()), wake);
    tell({ kind: "keyed", keyed: keys.keyed() });
  }

  function performOne(effect: CallEffect): void {
    switch (effect.kind) {
      case "send":
        tell(effect);
        break;
      case "encryptWith":
        sender.install(effect.key);
        break;
      case "decryptWith":
        receiver.install(effect.member, effect.key, clock.now());
        break;
      case "forget":
        receiver.forget(effect.joinId);
        break;
      case "over":
        end();
    }
  }

  function end(): void {
    cancelExpire();
    sender.close();
    tell({ kind: "over" });
  }

  return {
    roster: (roster) => perform(keys.roster(roster, clock.now())),
    message: (from, body) => perform(keys.message(from, body, clock.now())),
    seal: async (role, codec, frame) => await sender.seal(role, codec, frame),
    async open(joinId, role, frame) {
      const opened = await receiver.open(joinId, role, frame, clock.now());
      if (opened.kind === "dropped" && opened.reason === "unknown_key") {
        const effects = keys.wanted(joinId, clock.now());
        if (effects.length > 0) perform(effects);
      }
      return opened;
    },
    close: () => perform(keys.close()),
  };
}
