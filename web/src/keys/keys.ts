/**
 * The device, whole: composed of its parts, asked through the port, fed by the page's connection. Runs in a worker (worker.ts), and in
 * tests without one.
 */
import type { Argon2id } from "@lescopains/e2ee/vault/passphrase";
import type { Platform } from "@lescopains/e2ee/platform";
import type { Sha512 } from "@lescopains/e2ee/safety-number/sha512";
import type { DownBody } from "@lescopains/protocol/down";
import type { Generation, UserId } from "@lescopains/protocol/ids";
import { ApiError } from "../net/api-error.ts";
import { backoffMs } from "../sync/backoff.ts";
import type { Clock, Locks } from "../sync/ports.ts";
import { singleFlight } from "../sync/single-flight.ts";
import { identitiesOf, queueCallMessage } from "./calls.ts";
import { createConversations } from "./conversations.ts";
import { deviceViews, keptDevice, revokeDevices, settleDevice, startOver } from "./device.ts";
import { checkCode, giveIdentity, readCode } from "./handoff.ts";
import { createHealer } from "./heal.ts";
import { isShown, readRowById, tellChannels, viewOf } from "./history.ts";
import { createInbox } from "./inbox.ts";
import { asRefusal, type Change, type Kit, refusal } from "./kit.ts";
import { createMailbox } from "./mailbox.ts";
import { createOutbox } from "./outbox.ts";
import { showPeer } from "./peers.ts";
import {
  type DeviceState,
  KeysError,
  type KeysAnswer,
  type KeysEvent,
  type KeysEvents,
  type KeysQuestion,
  type KeysRequest,
} from "./port.ts";
import { createPeople } from "./people.ts";
import { replenish } from "./prekeys.ts";
import { codecs, KEY } from "./records.ts";
import { createReceiving } from "./receiving.ts";
import { adoptIdentity, restoreHistory, useGiven } from "./restore.ts";
import { bytesCodec } from "./store/codec.ts";
import type { Store } from "./store/store.ts";
import { createVault, problemOf } from "./vault.ts";

/** What the page passes on of its connection. */
export interface Feed {
  readonly ready: Pick<DownBody<"ready">, "dms" | "deviceId" | "generation">;
  readonly lost: null;
  readonly "message:new": DownBody<"message:new">;
  readonly "message:deleted": DownBody<"message:deleted">;
  readonly "message:ephemeral": DownBody<"message:ephemeral">;
  readonly "dm:created": DownBody<"dm:created">;
  readonly "dm:updated": DownBody<"dm:updated">;
  readonly "dm:removed": DownBody<"dm:removed">;
  readonly "read:updated": DownBody<"read:updated">;
  readonly "keys:received": DownBody<"keys:received">;
  readonly "keys:low": DownBody<"keys:low">;
  readonly "keys:changed": DownBody<"keys:changed">;
  readonly "keys:handoff": DownBody<"keys:handoff">;
}

export interface KeysDeps {
  readonly selfId: UserId;
  /** What this browser is called in the list of devices. */
  readonly deviceName: string;
  readonly openStore: () => Promise<Store>;
  /** Deletes the closed database. */
  readonly deleteStore: () => Promise<void>;
  readonly server: Kit["server"];
  readonly platform: Platform;
  readonly subtle: SubtleCrypto;
  readonly clock: Clock;
  readonly locks: Locks;
  readonly sha512: Sha512;
  readonly argon2id: Argon2id;
  readonly tell: <N extends KeysEvent>(name: N, event: KeysEvents[N]) => void;
  /** To the other tabs of this browser. */
  readonly share: (change: Change) => void;
}

export interface Keys {
  /** @throws KeysError */
  readonly ask: <N extends KeysRequest>(name: N, question: KeysQuestion<N>) => Promise<KeysAnswer<N>>;
  readonly feed: <N extends keyof Feed>(name: N, body: Feed[N]) => void;
  /** Another tab changed something. */
  readonly changed: (change: Change) => void;
  readonly close: () => void;
}

export function createKeys(deps: KeysDeps): Keys {
  const opened = deps.openStore().then((store) => createOpened(deps, store));
  // The failure is told with each question.
  opened.catch((error: unknown) => deps.tell("device", { kind: "failed", refusal: asRefusal(error) }));
  return {
    async ask(name, question) {
      const keys = await opened.catch((error: unknown) => {
        if (name === "device:state") return undefined;
        throw error instanceof KeysError ? error : new KeysError(asRefusal(error), { cause: error });
      });
      if (keys === undefined) {
        const refused = await opened.then(
          () => undefined,
          (error: unknown) => asRefusal(error),
        );
        return { kind: "failed", refusal: refused } as never;
      }
      return await keys.ask(name, question);
    },
    feed: (name, body) => void opened.then((keys) => keys.feed(name, body)).catch(() => undefined),
    changed: (change) => void opened.then((keys) => keys.changed(change)).catch(() => undefined),
    close: () => void opened.then((keys) => keys.close()).catch(() => undefined),
  };
}

function createOpened(deps: KeysDeps, store: Store): Keys {
  let state: DeviceState = { kind: "starting" };
  let online = false;
  let socketDevice: number | null = null;
  let closed = false;
  /** Of the server's database when the device was settled last. */
  let settledIn: Generation | undefined;
  let lastMark = 0;
  let cancelSettle: (() => void) | undefined;

  const kit: Kit = {
    ...deps,
    store,
    mark: () => (lastMark = Math.max(lastMark + 1, deps.clock.now() * 64)),
    connected: () => !closed && online && state.kind === "ready" && socketDevice === state.deviceId,
    tell(name, event) {
      if (closed) return;
      deps.tell(name, event);
      if (name === "dm:messages" || name === "peer") vault.wake();
    },
  };
  const vault = createVault(kit, deps.argon2id);
  const outbox = createOutbox(kit);
  const healer = createHealer(kit, () => void outbox.run());
  const inbox = createInbox(kit, () => void healer.run());
  const mailbox = createMailbox(kit, () => void outbox.run());
  const people = createPeople(kit, outbox, deps.sha512);
  const conversations = createConversations(kit, { inbox, outbox, healer });
  const receiving = createReceiving(kit, async () => {
    await alone(() => useGiven(kit, vault, deps.deviceName));
    await settle();
    tellReset();
  });

  function setState(next: DeviceState): DeviceState {
    state = next;
    kit.tell("device", next);
    return next;
  }

  async function start(): Promise<void> {
    try {
      const device = await store.exclusive(keptDevice);
      if (state.kind !== "starting") return;
      if (device?.status === "active") setState({ kind: "ready", deviceId: device.deviceId });
      if (device?.status === "revoked") setState({ kind: "revoked" });
    } catch (error) {
      setState({ kind: "failed", refusal: asRefusal(error) });
    }
    await bringTogether(0);
  }

  /** Brings what is kept here and what the server knows together, then goes on with what waited for that. */
  async function settle(attempt = 0): Promise<DeviceState> {
    if (await bringTogether(attempt)) void afterReady();
    return state;
  }

  /** Answers whether the device is ready by what the server has said just now. Tried again by itself where that may help. */
  async function bringTogether(attempt: number): Promise<boolean> {
    cancelSettle?.();
    if (closed) return false;
    try {
      const next = await alone(async () => {
        const { generation, state: found } = await settleDevice(kit, deps.deviceName);
        settledIn = generation;
        if (found.kind !== "identityElsewhere") return found;
        const { exists, kdf } = await deps.server.call("getVault");
        return { ...found, vault: exists, passphrase: kdf !== null };
      });
      const same = JSON.stringify(next) === JSON.stringify(state);
      if (!same || (next.kind === "ready" && next.deviceId !== socketDevice)) setState(next);
      if (next.kind === "ready") kit.share({ kind: "device" });
      if (next.kind === "identityElsewhere") receiving.resume();
      return next.kind === "ready";
    } catch (error) {
      const why = asRefusal(error);
      if (state.kind !== "ready") setState({ kind: "failed", refusal: why });
      if (why.code === "offline" || why.code === "refused") {
        const delayMs = why.retryAfterMs ?? backoffMs(attempt, () => 0.5);
        if (!closed) cancelSettle = deps.clock.after(delayMs, () => void settle(attempt + 1));
      }
      return false;
    }
  }

  const afterReady = singleFlight(async () => {
    if (!kit.connected()) return;
    const replenished = refill();
    await inbox.run();
    await mailbox.run();
    await people.retryWithoutDevice().catch(quiet);
    await outbox.run();
    await healer.run();
    await replenished;
    await vault.run();
  });

  /** Keys that are taken while they are counted are counted again. */
  const refill = singleFlight(() => replenish(kit).catch(quiet));

  function quiet(error: unknown): void {
    if (!closed && !(error instanceof ApiError)) console.error("keys", error);
  }

  /** Runs what makes or registers this browser's device, one at a time: two tabs make one, and nothing is settled half-way. */
  function alone<T>(task: () => Promise<T>): Promise<T> {
    return deps.locks.exclusive(`lescopains:device:${deps.selfId}`, task);
  }

  async function startAnew(password: string): Promise<DeviceState> {
    await alone(() => startOver(kit, deps.deviceName, password));
    return await settle();
  }

  async function restore(by: { readonly recoveryKey: string } | { readonly passphrase: string }) {
    const key = await vault.unlock(by);
    const { identities, messages } = await restoreHistory(kit, vault, key);
    await alone(() => adoptIdentity(kit, identities, deps.deviceName, (unit) => vault.adopt(unit, key)));
    await settle();
    tellReset();
    kit.tell("vault", await vault.state());
    return { messages };
  }

  function tellReset(): void {
    kit.tell("dm:reset", {});
    kit.share({ kind: "reset" });
  }

  async function forget(revoke: boolean): Promise<void> {
    if (revoke && state.kind === "ready") {
      const { published } = await deps.server.call("listDevices");
      // The last device stays listed: a list is never empty, and who comes back restores the identity.
      if ((published?.deviceList.devices.length ?? 0) > 1) await revokeDevices(kit, [state.deviceId]);
    }
    kit.share({ kind: "forgotten" });
    kit.tell("forgotten", {});
    close();
    store.close();
    await deps.deleteStore();
  }

  async function padKey(): Promise<Uint8Array> {
    return await store.exclusive(async (unit) => {
      const known = await unit.get(KEY.pad, bytesCodec);
      if (known !== undefined) return known;
      const key = deps.platform.random(32);
      unit.put(KEY.pad, bytesCodec, key);
      await unit.commit();
      return key;
    });
  }

  const answers: { readonly [N in KeysRequest]: (question: KeysQuestion<N>) => Promise<KeysAnswer<N>> } = {
    "device:state": async () => state,
    "device:retry": async () => await settle(),
    "device:startOver": async ({ password }) => await startAnew(password),
    async "device:forget"({ revoke }) {
      await forget(revoke);
      return {};
    },
    async "device:holds"() {
      const published = await deps.server.call("listDevices").then(
        (answer) => answer.published,
        () => null,
      );
      const messages = await store.countRows();
      const counts = await store.exclusive(async (unit) => ({
        saved: (await unit.get(KEY.vault, codecs.vault))?.locked === false,
        dirty: (await unit.keys("dirty/row/")).length,
        pending: (await unit.keys("outbox/")).length,
      }));
      const unsaved = counts.saved ? counts.dirty : messages;
      return {
        messages,
        unsaved,
        pending: counts.pending,
        lastDevice: (published?.deviceList.devices.length ?? 1) <= 1,
      };
    },
    "devices:list": async () => deviceViews(await deps.server.call("listDevices")),
    "devices:rename": async ({ deviceId, name }) =>
      tellDevices(deviceViews(await deps.server.call("renameDevice", { params: { deviceId }, body: { name } }))),
    async "devices:revoke"({ deviceIds }) {
      if (state.kind === "ready" && deviceIds.includes(state.deviceId))
        throw refusal("not_found", "this browser itself");
      return tellDevices(deviceViews(await revokeDevices(kit, deviceIds)));
    },
    ...receiving.answers,
    async "handoff:check"({ code }) {
      await checkCode(kit, readCode(code));
      return {};
    },
    async "handoff:approve"({ code }) {
      await giveIdentity(kit, vault, readCode(code));
      return {};
    },
    ...people.answers,
    ...conversations.answers,
    "pad:key": async () => await padKey(),
    async "call:send"({ to, body, anew }) {
      await queueCallMessage(kit, to, body, anew);
      void outbox.run();
      return {};
    },
    "call:identities": async ({ userIds }) => await identitiesOf(kit, userIds),
    "vault:state": async () => await vault.state(),
    "vault:create": async ({ passphrase }) => ({ recoveryKey: await vault.create(passphrase) }),
    "vault:show": async () => ({ recoveryKey: await vault.show() }),
    "vault:confirm": async ({ text }) => ({ problem: await vault.confirm(text) }),
    "vault:check": async ({ text }) => ({ problem: problemOf(text) }),
    async "vault:passphrase"({ passphrase }) {
      await vault.setPassphrase(passphrase);
      return await vault.state();
    },
    "vault:replace": async ({ password, passphrase }) => ({
      recoveryKey: await vault.replace(password, passphrase),
    }),
    "vault:restore": async (by) => await restore(by),
  };

  function tellDevices(views: KeysEvents["devices"]): KeysEvents["devices"] {
    kit.tell("devices", views);
    return views;
  }

  async function ownChanged(): Promise<void> {
    await settle();
    if (state.kind === "ready") kit.tell("devices", deviceViews(await deps.server.call("listDevices")));
  }

  async function connected({ dms, deviceId, generation }: Feed["ready"]): Promise<void> {
    online = true;
    socketDevice = deviceId;
    await conversations.connected(dms);
    void conversations.tellRead(dms).catch(quiet);
    // What the start asks is on its way still when the first connection comes, and is not asked twice.
    await started;
    const mine = state.kind === "ready" && state.deviceId === deviceId;
    if (settledIn !== generation || !mine) await settle();
    else await afterReady();
  }

  const feeds: { readonly [N in keyof Feed]: (body: Feed[N]) => Promise<void> } = {
    ready: connected,
    ...conversations.feeds,
    async lost() {
      online = false;
      socketDevice = null;
    },
    async "keys:received"({ messages }) {
      mailbox.take(messages);
      await mailbox.run();
    },
    "keys:low": refill,
    "keys:changed": async ({ userId }) => await (userId === deps.selfId ? ownChanged() : people.changed(userId)),
    "keys:handoff": async ({ id }) => receiving.filled(id),
  };

  async function changed(change: Change): Promise<void> {
    switch (change.kind) {
      case "messages": {
        const rows = await store.exclusive(
          async (unit) => await Promise.all(change.ids.map((id) => readRowById(unit, id))),
        );
        const found = rows.filter((row) => row !== undefined);
        const shown = found.filter(({ value }) => isShown(value));
        const ids = new Set(shown.map(({ id }) => id));
        const gone = change.ids.filter((id) => !ids.has(id));
        deps.tell("dm:messages", { channelId: change.channelId, messages: shown.map(viewOf), gone });
        return;
      }
      case "channel":
        await tellChannels(kit, [change.channelId]);
        return;
      case "pending": {
        const { channelId } = change;
        const pending = (await outbox.pending()).filter((one) => one.channelId === channelId);
        deps.tell("dm:pending", { channelId, pending });
        return;
      }
      case "call":
        deps.tell("call:message", change.message);
        return;
      case "peer":
        // Its own tab saves what is new.
        await showPeer({ ...kit, tell: deps.tell }, change.userId);
        return;
      case "device":
        if (state.kind !== "ready") await settle();
        return;
      case "vault":
        deps.tell("vault", await vault.state());
        return;
      case "reset":
        deps.tell("dm:reset", {});
        return;
      case "forgotten":
        close();
        store.close();
        deps.tell("device", { kind: "starting" });
        deps.tell("forgotten", {});
    }
  }

  function close(): void {
    closed = true;
    cancelSettle?.();
    receiving.close();
    inbox.close();
    mailbox.close();
    outbox.close();
    healer.close();
    vault.close();
  }

  const started = start();

  return {
    async ask(name, question) {
      try {
        return await answers[name](question);
      } catch (error) {
        throw error instanceof KeysError ? error : new KeysError(asRefusal(error), { cause: error });
      }
    },
    feed(name, body) {
      feeds[name](body).catch(quiet);
    },
    changed: (change) => void changed(change).catch(quiet),
    close() {
      close();
      store.close();
    },
  };
}
