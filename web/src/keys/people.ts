import type { Sha512 } from "@lescopains/e2ee/safety-number/sha512";
import type { UserId } from "@lescopains/protocol/ids";
import type { Answers, Kit, Topic } from "./kit.ts";
import type { Outbox } from "./outbox.ts";
import { channelsWith, peerState, readPeer, refreshPeers } from "./peers.ts";
import type { DmPending } from "./port.ts";
import { acceptPeer, safetyNumberOf, scan, verifyPeer } from "./safety.ts";

/** Who the others are, and what is held back because of that. */
export interface People {
  readonly answers: Answers<Topic<"peer" | "safety">>;
  /** The server says that somebody's devices are others. */
  readonly changed: (userId: UserId) => Promise<void>;
  /** Who had no device when it was written may have got one while nobody told this browser. */
  readonly retryWithoutDevice: () => Promise<void>;
}

export function createPeople(kit: Kit, outbox: Outbox, sha512: Sha512): People {
  async function peerOf(userId: UserId) {
    const known = await kit.store.exclusive((unit) => readPeer(unit, userId));
    if (known === undefined) await refreshPeers(kit, [userId]);
    return await kit.store.exclusive(async (unit) => peerState(userId, await readPeer(unit, userId)));
  }

  /** What was held back for this person goes on its way. */
  async function unblock(userId: UserId): Promise<void> {
    const concerned = await kit.store.exclusive((unit) => channelsWith(unit, userId));
    await retryHeld(({ channelId, failure }) => {
      const held = failure?.code === "identity_changed" || failure?.code === "no_devices";
      return held && concerned.includes(channelId);
    });
    void outbox.run();
  }

  async function retryHeld(which: (one: DmPending) => boolean): Promise<void> {
    for (const one of await outbox.pending()) if (which(one)) await outbox.retry(one.nonce);
  }

  return {
    answers: {
      "peer:state": async ({ userId }) => await peerOf(userId),
      async "peer:accept"({ userId }) {
        const peer = await acceptPeer(kit, userId);
        await unblock(userId);
        return peer;
      },
      async "safety:number"({ userId }) {
        const { identityKey: _, ...number } = await safetyNumberOf(kit, userId, sha512);
        return number;
      },
      async "safety:scan"({ userId, code }) {
        const scanned = await scan(kit, userId, code, sha512);
        await unblock(userId);
        return scanned;
      },
      async "safety:verify"({ userId, digits, verified }) {
        const peer = await verifyPeer(kit, userId, { digits, verified }, sha512);
        await unblock(userId);
        return peer;
      },
    },
    async changed(userId) {
      await refreshPeers(kit, [userId]);
      const peer = await kit.store.exclusive((unit) => readPeer(unit, userId));
      if (peer?.trust === "trusted" || peer?.trust === "verified") await unblock(userId);
    },
    retryWithoutDevice: async () => await retryHeld(({ failure }) => failure?.code === "no_devices"),
  };
}
