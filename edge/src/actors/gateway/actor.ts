import type { DeviceId } from "@lescopains/protocol/device-list";
import type { AnyDown } from "@lescopains/protocol/down";
import { CLOSE_CODES } from "@lescopains/protocol/errors";
import type { ChannelId, ServerId, SessionId, UserId } from "@lescopains/protocol/ids";
import { LIMITS, PERIODS } from "@lescopains/protocol/limits";
import { envelopesAfter } from "../../db/envelopes.ts";
import { lowKeys } from "../../db/prekeys.ts";
import { type Database, database, DatabaseError } from "../../db/port.ts";
import { dropExpired } from "../../db/sealed.ts";
import { sessionAlive } from "../../db/sessions.ts";
import { dropPast } from "../../db/voice.ts";
import { gatewayActors, type RemoteGateway, serverActor, sfuRegistry } from "../../platform/actors.ts";
import { Actor } from "../../platform/actor.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { ciphertexts, eventsDelivered, eventsReceived, messageAcks, refusals } from "../../platform/metrics.ts";
import { type ConnectAnswer, type ConnectRequest, type Socket, SocketServer } from "../../socketio/server.ts";
import { Broadcasts } from "./broadcasts.ts";
import { type Arrival, arrivalOf } from "./connect.ts";
import { answerEvent } from "./events.ts";
import { Mailbox } from "./mailbox.ts";
import { ciphertextFor, forReader, type LocalPresence, type ServerChange, type Told } from "./messages.ts";
import { readyFor } from "./ready.ts";
import { Roster } from "./roster.ts";
import type { SocketData } from "./socket-data.ts";

type LocalSocket = Socket<SocketData>;

/** How often silent and expired sockets are looked for. */
const SWEEP_MS = 15_000;
/** A client that pings every 30 s is never asked; any other one is asked once and has until 60 s to answer. */
const SILENCE = { pingAfterMs: 35_000, closeAfterMs: PERIODS.presenceOfflineMs };
/** Engine.IO's own server ping would wake the actor for each socket; this is the longest a client's timer can take. */
const NEVER_MS = 2_147_000_000;
/** Events held for a socket whose `ready` is being made; with more it starts again. */
const HELD_MAX = 2_000;
const TRY_AGAIN_LATER = 1013;
const SHARD_KEY = "shard";
const DAY_MS = 24 * 60 * 60_000;
/** Rows that one sweep deletes. */
const EXPIRED_AT_ONCE = 500;

/**
 * Holds the sockets of a shard: Socket.IO, sessions, who may see what, presence of its users.
 * Sockets hibernate; what is in memory is rebuilt from their data and from the server actors.
 */
export class Gateway extends Actor {
  readonly #db: Database;
  readonly #shard: number;
  readonly #io: SocketServer<SocketData>;
  readonly #roster = new Roster<LocalSocket>();
  /** What is known of sockets between `connect` and `ready`. */
  readonly #arrivals = new WeakMap<LocalSocket, Pick<Arrival, "account" | "generation">>();
  /** Events for sockets whose `ready` is being made, so that `ready` is the first and nothing after it is missed. */
  readonly #held = new Map<LocalSocket, AnyDown[]>();
  readonly #others: readonly RemoteGateway[];
  readonly #completing = new Map<ServerId, Promise<void>>();
  readonly #broadcasts = new Broadcasts<LocalSocket>(
    (sockets, { event, body }) => eventsDelivered.inc(this.#io.broadcast(sockets, event, body)),
    () => scheduler.wait(0),
  );
  readonly #mailbox = new Mailbox<LocalSocket>(
    async ({ data: { userId, deviceId } }, after, limit) =>
      deviceId === null ? [] : this.#db.query(envelopesAfter, [userId, deviceId, after, limit]),
    (socket, messages) => socket.emit("keys:received", { messages }),
  );

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = database(env);
    this.#shard = Number(shardName(ctx));
    this.#others = gatewayActors(env).filter((_, shard) => shard !== this.#shard);
    this.#io = new SocketServer<SocketData>(
      ctx,
      {
        path: "/socket.io/",
        pingIntervalMs: NEVER_MS,
        pingTimeoutMs: 20_000,
        connectTimeoutMs: 20_000,
        maxPayloadBytes: LIMITS.frameBytes,
        hibernate: true,
        sidPrefix: `${this.#shard}.`,
        autoAnswer: { event: "presence:ping", answer: "presence:pong" },
        flood: { framesPerSecond: 50, burst: 200, frameBytes: LIMITS.bodyBytes },
        maxConnections: 30_000,
      },
      {
        "/": {
          connect: (request, socket) => this.#connect(request, socket),
          connected: (socket) => this.#connected(socket),
          event: (socket, name, args, ack) => this.#event(socket, name, args, ack),
          disconnected: (socket) => this.#disconnected(socket),
        },
      },
      (error) => log.error("gateway failed", error),
    );
    for (const socket of this.#io.sockets()) {
      const { userId, serverIds, status, customStatus } = socket.data;
      this.#roster.add(userId, socket, presence(status, customStatus));
      for (const serverId of serverIds) this.#roster.join(serverId, userId);
    }
    this.#roster.forgetAccess();
  }

  // ── the runtime ────────────────────────────────────────────────────────────────────────────────────────────────

  override async fetch(request: Request): Promise<Response> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.#sweepLater();
    return this.#io.fetch(request);
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#io.webSocketMessage(ws, message);
  }

  override webSocketClose(ws: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void> {
    return this.#io.webSocketClose(ws, code, reason, wasClean);
  }

  override webSocketError(ws: WebSocket, error: unknown): Promise<void> {
    return this.#io.webSocketError(ws, error);
  }

  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    for (const socket of this.#io.sockets()) closeIfExpired(socket, nowMs);
    await this.#dropExpired();
    await sfuRegistry(this.env)
      .sweep()
      .catch((error: unknown) => log.warn("voice was not swept", { reason: String(error) }));
    if (this.#io.sweep(nowMs, SILENCE) > 0) await this.#sweepLater();
  }

  /** A part of the instance's ciphertexts that waited for too long, and of what was kept of voice: whatever actor is awake does it, and the next one goes on. */
  async #dropExpired(): Promise<void> {
    try {
      await this.#db.query(dropExpired, [PERIODS.ciphertextMs / DAY_MS, EXPIRED_AT_ONCE]);
      await this.#db.query(dropPast, [PERIODS.voiceSessionMs / DAY_MS, EXPIRED_AT_ONCE]);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      log.warn("what has expired stays a little longer", { reason: error.message });
    }
  }

  /** Unconfirmed: frames must not wait until the alarm is on the disk. After a crash there is nothing to sweep. */
  #sweepLater(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + SWEEP_MS, { allowUnconfirmed: true });
  }

  // ── what other actors and the worker ask ───────────────────────────────────────────────────────────────────────

  /** Events of a channel, in order, for everyone here who may view it. Resolves when they are written. */
  async deliver(serverId: ServerId, channelId: ChannelId, events: readonly AnyDown[]): Promise<void> {
    if (this.#roster.isIncomplete(serverId)) await this.#complete(serverId);
    await this.#send(this.#roster.viewing(serverId, channelId), events);
  }

  /** Something changed in a server: who may see what, and what its people are told. */
  async serverChanged(serverId: ServerId, change: ServerChange): Promise<void> {
    for (const entry of change.access ?? []) {
      if (this.#roster.apply(serverId, change.version, entry)) this.#keepServers(entry.userId);
    }
    for (const { to, event } of change.events) {
      void this.#send(this.#roster.socketsOf(to === "members" ? this.#roster.members(serverId) : to), [event]);
    }
    // What was on its way to those who lost a right is written before the change is answered.
    await this.#broadcasts.send([], []);
  }

  /** Local members of a server, for a server actor that starts with an empty memory. */
  async onlineMembers(serverId: ServerId): Promise<{ userId: UserId; presence: LocalPresence }[]> {
    return [...this.#roster.members(serverId)].flatMap((userId) => {
      const user = this.#roster.user(userId);
      return user === undefined ? [] : [{ userId, presence: user.presence }];
    });
  }

  /** Ends sockets of sessions that are no more. */
  async revokeSessions(userId: UserId, which: readonly SessionId[] | "all"): Promise<void> {
    for (const socket of this.#roster.socketsOf([userId])) {
      const { sessionId } = socket.data;
      if (which !== "all" && !which.includes(sessionId)) continue;
      socket.emit("session:revoked", { sessionId });
      socket.disconnect({ close: true, code: CLOSE_CODES.sessionRevoked, reason: "session_revoked" });
    }
  }

  /** An event for the sockets of some people here. */
  async tellUsers(userIds: readonly UserId[], event: AnyDown): Promise<void> {
    await this.#send(this.#roster.socketsOf(userIds), [event]);
  }

  /** Events of a direct conversation, in order, each socket with what there is for its device. Resolves when they are written. */
  async deliverSealed(userIds: readonly UserId[], told: readonly Told[]): Promise<void> {
    const sockets = this.#roster.socketsOf(userIds);
    const written = told.flatMap(({ event, sealed }) => {
      if (sealed === undefined) return [this.#send(sockets, [event])];
      return sockets.flatMap((socket) => {
        const { userId, deviceId } = socket.data;
        const ciphertext = ciphertextFor(sealed, userId, deviceId);
        if (ciphertext !== null) ciphertexts.inc();
        const own = forReader(event, ciphertext);
        return own === undefined ? [] : [this.#send([socket], [own])];
      });
    });
    await Promise.all(written);
  }

  /** An event for the sockets here that speak for a device. */
  async tellDevice(userId: UserId, deviceId: DeviceId, event: AnyDown): Promise<void> {
    await this.#send(this.#speakingFor(userId, deviceId), [event]);
  }

  /** There is something in the queues of these devices. */
  async envelopesQueued(devices: readonly [UserId, DeviceId][]): Promise<void> {
    for (const [userId, deviceId] of devices)
      for (const socket of this.#speakingFor(userId, deviceId)) this.#serve(this.#mailbox.serve(socket));
  }

  /** A device is another session's now: whoever spoke for it connects again, as somebody else. */
  async unbindDevice(userId: UserId, deviceId: DeviceId, to: SessionId): Promise<void> {
    for (const socket of this.#speakingFor(userId, deviceId)) {
      if (socket.data.sessionId === to) continue;
      socket.disconnect({ close: true, code: TRY_AGAIN_LATER, reason: "device moved" });
    }
  }

  /** A person chose what to show, on this gateway or another: it holds for all their sockets. */
  async presenceChosen(userId: UserId, chosen: LocalPresence): Promise<void> {
    const user = this.#roster.user(userId);
    if (user === undefined) return;
    user.presence = chosen;
    for (const socket of user.sockets) {
      const { customStatus: _before, ...data } = socket.data;
      socket.setData({ ...data, ...chosen });
    }
  }

  /** Numbers for `/metrics`. */
  async stats(): Promise<{ sockets: number; users: number }> {
    return { sockets: [...this.#io.sockets()].length, users: [...this.#roster.users()].length };
  }

  // ── sockets ────────────────────────────────────────────────────────────────────────────────────────────────────

  async #connect({ auth }: ConnectRequest, socket: LocalSocket): Promise<ConnectAnswer<SocketData>> {
    const arrived = await arrivalOf(this.env.JWT_SECRET, this.#db, auth, Date.now());
    if (!arrived.ok) {
      const { code, message, retryAfterMs } = arrived.error;
      return { ok: false, message, data: retryAfterMs === undefined ? { code } : { code, retryAfterMs } };
    }
    const { data } = arrived.value;
    this.#arrivals.set(socket, arrived.value);
    // Another connection of the same person has their chosen status.
    const known = this.#roster.user(data.userId)?.presence ?? { status: "online" };
    return { ok: true, data: { ...data, serverIds: [], ...known } };
  }

  async #connected(socket: LocalSocket): Promise<void> {
    const { userId, sessionId, deviceId, status, customStatus } = socket.data;
    const arrival = this.#arrivals.get(socket);
    if (arrival === undefined) return socket.disconnect({ close: true, code: TRY_AGAIN_LATER, reason: "unavailable" });
    const user = this.#roster.add(userId, socket, presence(status, customStatus));
    const held: AnyDown[] = [];
    this.#held.set(socket, held);
    try {
      // Asked again now that a revocation finds the socket: one in between found neither.
      const alive = sessionAlive(this.#db, sessionId, userId);
      alive.catch(() => undefined);
      const ready = await readyFor({
        db: this.#db,
        env: this.env,
        shard: this.#shard,
        roster: this.#roster,
        user,
        account: arrival.account,
        generation: arrival.generation,
        sessionId,
        deviceId,
      });
      if (!(await alive)) {
        socket.disconnect({ close: true, code: CLOSE_CODES.sessionRevoked, reason: "session_revoked" });
        return;
      }
      if (!user.sockets.has(socket)) return;
      this.#keepServers(userId);
      socket.emit("ready", ready);
      for (const { event, body } of held) socket.emit(event, body);
    } catch (error) {
      if (!(error instanceof DatabaseError)) log.error("ready failed", error, { userId });
      // The official client comes back by itself after a close, not after a refusal.
      socket.disconnect({ close: true, code: TRY_AGAIN_LATER, reason: "unavailable" });
    } finally {
      this.#held.delete(socket);
    }
    if (deviceId === null) return;
    this.#serve(this.#mailbox.serve(socket));
    this.#serve(this.#tellLow(socket, userId, deviceId));
  }

  /** It may have been away when its keys went. */
  async #tellLow(socket: LocalSocket, userId: UserId, deviceId: DeviceId): Promise<void> {
    for (const { event } of await lowKeys(this.#db, userId, [deviceId])) socket.emit(event.event, event.body);
  }

  async #event(
    socket: LocalSocket,
    name: string,
    args: unknown[],
    ack: ((...args: unknown[]) => void) | undefined,
  ): Promise<void> {
    eventsReceived.inc();
    if (closeIfExpired(socket, Date.now())) return;
    const arrivedMs = Date.now();
    const answer = await this.asRequest(socket.data.userId, () => this.#answer(socket, name, args[0]));
    ack?.(answer);
    if (!answer.ok) refusals.inc({ via: "socket", code: answer.error.code });
    else if (name === "message:send") messageAcks.observe((Date.now() - arrivedMs) / 1_000);
  }

  #answer(socket: LocalSocket, name: string, body: unknown): ReturnType<typeof answerEvent> {
    return answerEvent(
      {
        db: this.#db,
        env: this.env,
        shard: this.#shard,
        user: this.#roster.user(socket.data.userId),
        sessionId: socket.data.sessionId,
        deviceId: socket.data.deviceId,
        envelopesKept: (upTo) => this.#serve(this.#mailbox.acknowledged(socket, upTo)),
        choosePresence: async (chosen) => {
          const { userId } = socket.data;
          await Promise.all([this, ...this.#others].map((gateway) => gateway.presenceChosen(userId, chosen)));
        },
        tellOthers: async (event) => {
          const { userId } = socket.data;
          const beside = this.#roster.socketsOf([userId]).filter((other) => other !== socket);
          void this.#send(beside, [event]);
          await Promise.all(this.#others.map((gateway) => gateway.tellUsers([userId], event)));
        },
      },
      name,
      body,
    );
  }

  #disconnected(socket: LocalSocket): void {
    const { userId } = socket.data;
    const gone = this.#roster.remove(userId, socket);
    if (gone === undefined) return;
    for (const serverId of gone.servers) {
      this.ctx.waitUntil(
        serverActor(this.env, serverId)
          .detach(this.#shard, userId)
          .catch((error: unknown) => log.error("detach failed", error, { serverId })),
      );
    }
  }

  // ── delivery ───────────────────────────────────────────────────────────────────────────────────────────────────

  async #send(sockets: readonly LocalSocket[], events: readonly AnyDown[]): Promise<void> {
    if (sockets.length === 0) return;
    const awake = this.#held.size === 0 ? sockets : sockets.filter((socket) => !this.#hold(socket, events));
    await this.#broadcasts.send(awake, events);
  }

  /** Sockets here that speak for a device, and are ready. */
  #speakingFor(userId: UserId, deviceId: DeviceId): LocalSocket[] {
    return this.#roster
      .socketsOf([userId])
      .filter((socket) => socket.data.deviceId === deviceId && !this.#held.has(socket));
  }

  /** Envelopes that could not be read now are read with the next sign of life. */
  #serve(served: Promise<void>): void {
    this.ctx.waitUntil(
      served.catch((error: unknown) => {
        if (error instanceof DatabaseError) log.warn("a device was not served", { reason: error.message });
        else log.error("a device was not served", error);
      }),
    );
  }

  /** Keeps events for a socket that is not ready yet. */
  #hold(socket: LocalSocket, events: readonly AnyDown[]): boolean {
    const held = this.#held.get(socket);
    if (held === undefined) return false;
    held.push(...events);
    if (held.length > HELD_MAX) socket.disconnect({ close: true, code: TRY_AGAIN_LATER, reason: "too far behind" });
    return true;
  }

  /** Asks the server actor what the people here may view, once, after hibernation. */
  #complete(serverId: ServerId): Promise<void> {
    let completing = this.#completing.get(serverId);
    if (completing === undefined) {
      completing = serverActor(this.env, serverId)
        .viewers([...this.#roster.members(serverId)])
        .then(({ version, users }) => {
          for (const entry of users) if (this.#roster.apply(serverId, version, entry)) this.#keepServers(entry.userId);
          this.#roster.completed(serverId);
        })
        .finally(() => this.#completing.delete(serverId));
      this.#completing.set(serverId, completing);
    }
    return completing;
  }

  /** Writes a person's servers into their sockets' data where they changed. */
  #keepServers(userId: UserId): void {
    const user = this.#roster.user(userId);
    if (user === undefined) return;
    const serverIds = [...user.servers];
    for (const socket of user.sockets) {
      const { data } = socket;
      if (data.serverIds.length !== serverIds.length || data.serverIds.some((id) => !user.servers.has(id))) {
        socket.setData({ ...data, serverIds });
      }
    }
  }
}

/** The shard's number. An alarm can start the actor without its name, so the storage remembers it. */
function shardName(ctx: DurableObjectState): string {
  const known = ctx.storage.kv.get<string>(SHARD_KEY);
  if (known !== undefined) return known;
  if (ctx.id.name === undefined) throw new Error("a gateway is reached by its shard number");
  ctx.storage.kv.put(SHARD_KEY, ctx.id.name);
  return ctx.id.name;
}

function presence(status: LocalPresence["status"], customStatus: string | undefined): LocalPresence {
  return customStatus === undefined ? { status } : { status, customStatus };
}

/** Closes a socket whose access token has ended; its client refreshes and comes back. */
function closeIfExpired(socket: LocalSocket, nowMs: number): boolean {
  if (socket.data.expiresAt * 1_000 > nowMs) return false;
  socket.disconnect({ close: true, code: CLOSE_CODES.tokenExpired, reason: "token_expired" });
  return true;
}
