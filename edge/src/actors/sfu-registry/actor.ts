import type { ChannelId, JoinId } from "@lescopains/protocol/ids";
import type { FromEdge } from "@lescopains/protocol/sfu/registry";
import { SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import type { NodeId, Right } from "@lescopains/protocol/sfu/token";
import { type Database, database, DatabaseError } from "../../db/port.ts";
import { channelsAdrift, channelsDue, channelsOnNode } from "../../db/voice.ts";
import { channelActor } from "../../platform/actors.ts";
import { Actor } from "../../platform/actor.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { nodesLost } from "../../platform/metrics.ts";
import { quotable } from "../../platform/trace.ts";
import { nodeSecrets } from "../../voice/node-secrets.ts";
import { mayReachVoice } from "../../voice/origins.ts";
import type { RoomReport } from "../channel/seats.ts";
import { callerOf, hasRightTime, type Order, parseMessage, proofFor } from "./link.ts";
import { choose, type Place, type Registration, SfuNode } from "./nodes.ts";

/** A node whose connection closed comes back within this time, or is dead. */
const COME_BACK_MS = 1_500;
/** A node that does not carry out a command within this time is dead: what it may still forward is nobody's to hear. */
const COMMAND_MS = 2_000;
const CLOSE = { protocol: 1008, again: 1012, replaced: 4409 } as const;

/** What a socket keeps: whose it is, and which of our secrets they hold. */
interface Attachment {
  readonly nodeId: NodeId;
  readonly secretIndex: number;
}

interface Pending {
  readonly order: Order;
  readonly done: () => void;
}

/** A node, and how it is reached. */
interface Link {
  readonly node: SfuNode;
  /** It proved itself by the secret of before. */
  readonly hasFormerSecret: boolean;
  /** Undefined while it is expected back. */
  socket: WebSocket | undefined;
  readonly pending: Map<string, Pending>;
  readonly telling: Set<ChannelId>;
  watch: ReturnType<typeof setTimeout> | undefined;
}

/** What operators see of a node. */
export interface NodeView {
  readonly id: NodeId;
  readonly url: string;
  readonly region: string;
  readonly version: string;
  readonly draining: boolean;
  readonly connected: boolean;
  readonly hasFormerSecret: boolean;
  readonly load: SfuNode["load"];
  readonly rooms: ChannelId[];
}

/**
 * The SFU nodes that are alive, what is in their rooms, and commands to them. All of it is the nodes' own word and is told again when
 * one connects: nothing is stored here. Who has a place where is PostgreSQL's, by the channels' actors; this only calls them.
 */
export class SfuRegistry extends Actor {
  readonly #db: Database;
  readonly #links = new Map<NodeId, Link>();
  readonly #startedMs = Date.now();
  /** Who waits for a node that has not come back yet since this actor began. */
  readonly #awaited = new Map<NodeId, PromiseWithResolvers<void>>();
  #sweeping = false;
  #commands = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = database(env);
    // What they had said is forgotten: they connect again and say it anew.
    for (const socket of ctx.getWebSockets()) socket.close(CLOSE.again, "register again");
  }

  // ── connections of nodes ───────────────────────────────────────────────────────────────────────────────────────

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return new Response(null, { status: 426 });
    const secrets = nodeSecrets(this.env);
    const caller = await callerOf(secrets, request.headers.get("authorization"), Date.now());
    if (caller === undefined) return new Response(null, { status: 401 });
    const { nodeId, secret, clockMs } = caller;
    if (!hasRightTime(caller)) {
      log.warn("voice node refused: its clock is not ours", { nodeId, aheadSeconds: Math.round(clockMs / 1_000) });
      return new Response(null, { status: 401 });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ nodeId, secretIndex: secrets.indexOf(secret) } satisfies Attachment);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, text: string | ArrayBuffer): Promise<void> {
    const { nodeId, secretIndex } = socket.deserializeAttachment() as Attachment;
    const message = parseMessage(text);
    if (message === undefined) return socket.close(CLOSE.protocol, "not a message of the registry's wire");
    if (message.type === "register") {
      if (message.nodeId !== nodeId) return socket.close(CLOSE.protocol, "another node's name");
      return this.#register(socket, message, secretIndex);
    }
    const link = this.#links.get(nodeId);
    // Before `register`, or after somebody else took the name.
    if (link?.socket !== socket) return;
    this.#watch(link, SFU_PERIODS.nodeDeadMs);
    if (message.type === "heartbeat") {
      link.node.load = message.load;
      link.node.draining = message.draining;
      send(socket, { type: "beat" });
    } else if (message.type === "done") {
      link.pending.get(message.id)?.done();
    } else {
      link.node.take(message);
    }
    this.#tellNews(link);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#disconnected(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#disconnected(socket);
  }

  async #register(socket: WebSocket, registration: Registration, secretIndex: number): Promise<void> {
    const { nodeId, nonce } = registration;
    const before = this.#links.get(nodeId);
    if (before !== undefined && before.socket !== socket)
      before.socket?.close(CLOSE.replaced, "this node connected again");
    clearTimeout(before?.watch);
    const node = new SfuNode(registration);
    const link: Link = {
      node,
      hasFormerSecret: secretIndex > 0,
      socket,
      // What it was told and has not confirmed is told again.
      pending: before?.pending ?? new Map(),
      telling: new Set(),
      watch: undefined,
    };
    this.#links.set(nodeId, link);
    this.#awaited.get(nodeId)?.resolve();
    this.#watch(link, SFU_PERIODS.nodeDeadMs);
    send(socket, { type: "welcome", proof: await proofFor(nodeSecrets(this.env)[secretIndex] ?? "", nodeId, nonce) });
    for (const [id, { order }] of link.pending) send(socket, { ...order, id });
    const { region, version, rooms } = node;
    log.info("voice node registered", { nodeId, region, version, rooms: rooms.length });
    if (link.hasFormerSecret) log.warn("this voice node has the SFU_SECRET of before", { nodeId });
    if (!mayReachVoice(node.url, this.env))
      log.warn("browsers may not connect to this voice node: VOICE_ORIGINS does not name it", {
        nodeId,
        url: node.url,
      });
    try {
      // Also those that it does not have (any more).
      for (const { channelId } of await this.#db.query(channelsOnNode, [nodeId])) node.news.add(channelId);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      // The next sweep, or the next change of a room, finds them.
      log.warn("rooms of a node were not compared", { nodeId, reason: error.message });
    }
    this.#tellNews(link);
    if (!node.draining) this.ctx.waitUntil(this.#callBack());
  }

  /** [VO22] Whoever found no node when theirs went would else come when they try again, seconds later. */
  async #callBack(): Promise<void> {
    try {
      const channels = await this.#db.query(channelsAdrift, []);
      await Promise.all(channels.map(({ channelId }) => channelActor(this.env, channelId).voiceNodeCame()));
    } catch (error) {
      log.warn("people without a node were not told of one", { reason: String(error) });
    }
  }

  #disconnected(socket: WebSocket): void {
    const { nodeId } = socket.deserializeAttachment() as Attachment;
    const link = this.#links.get(nodeId);
    if (link?.socket !== socket) return;
    link.socket = undefined;
    link.node.reachable = false;
    this.#watch(link, COME_BACK_MS);
  }

  /** The timer runs while nodes are connected, whose heartbeats keep this actor awake anyway. */
  #watch(link: Link, ms: number): void {
    clearTimeout(link.watch);
    link.watch = setTimeout(() => this.#dead(link), ms);
  }

  /** [VO22] Its rooms are placed anew, when their people come back. */
  #dead(link: Link): void {
    const { id } = link.node;
    if (this.#links.get(id) !== link) return;
    this.#links.delete(id);
    clearTimeout(link.watch);
    link.socket?.close(CLOSE.again, "taken for dead");
    for (const { done } of link.pending.values()) done();
    const { draining, rooms } = link.node;
    // One that was emptied before it ended is no loss.
    if (!draining || rooms.length > 0) nodesLost.inc();
    log.warn("voice node is gone", { nodeId: id, draining, rooms: rooms.length });
    this.ctx.waitUntil(this.#displace(id));
  }

  async #displace(node: NodeId): Promise<void> {
    try {
      const channels = await this.#db.query(channelsOnNode, [node]);
      await Promise.all(channels.map(({ channelId }) => channelActor(this.env, channelId).voiceNodesLost({ node })));
    } catch (error) {
      // The sweep finds them.
      log.warn("rooms of a lost node were not told", { nodeId: node, reason: String(error) });
    }
  }

  // ── rooms ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Calls the channels whose rooms have changed; what fails is tried again with the next heartbeat. */
  #tellNews(link: Link): void {
    for (const roomId of link.node.news) {
      if (link.telling.has(roomId)) continue;
      link.node.news.delete(roomId);
      link.telling.add(roomId);
      this.ctx.waitUntil(this.#tell(link, roomId));
    }
  }

  async #tell(link: Link, roomId: ChannelId): Promise<void> {
    const { node } = link;
    let retries = false;
    try {
      const answer = await channelActor(this.env, roomId).voiceMedia(node.id);
      if (answer.ok) {
        node.taken(roomId);
        for (const { joinId } of answer.value.strangers) void this.kick(node.id, roomId, joinId);
        for (const { joinId, rights } of answer.value.rights) void this.rights(node.id, roomId, joinId, rights);
      } else if (answer.error.code === "not_found") void this.#commandTo(node.id, { type: "close-room", roomId });
      else retries = true;
    } catch (error) {
      retries = true;
      log.warn("a channel was not told of its room", { channelId: roomId, reason: String(error) });
    }
    link.telling.delete(roomId);
    if (retries) link.node.news.add(roomId);
    else if (link.node.news.has(roomId)) this.#tellNews(link);
  }

  /** Who is in a room of a node now; null: the node is not known. Asked by the room's channel, in its turn. */
  async report(node: NodeId, roomId: ChannelId): Promise<RoomReport | null> {
    const link = this.#links.get(node);
    return link === undefined ? null : { node, ...link.node.report(roomId) };
  }

  /** @param current nodes that the room is on already */
  async place(roomId: ChannelId, current: readonly string[], region: string | null): Promise<Place | null> {
    if (!current.some((node) => this.#links.has(node))) await Promise.all(current.map((node) => this.#linkTo(node)));
    return choose(
      [...this.#links.values()].map(({ node }) => node),
      roomId,
      current,
      region,
    );
  }

  // ── commands: they resolve when the node has carried them out, or is dead ─────────────────────────────────────────

  async kick(node: string, roomId: ChannelId, joinId: JoinId): Promise<void> {
    await this.#commandTo(node, { type: "kick", roomId, joinId });
  }

  async move(node: string, roomId: ChannelId, joinId: JoinId, channelId: ChannelId): Promise<void> {
    await this.#commandTo(node, { type: "move", roomId, joinId, channelId });
  }

  async rights(node: string, roomId: ChannelId, joinId: JoinId, rights: Right[]): Promise<void> {
    await this.#commandTo(node, { type: "rights", roomId, joinId, rights });
  }

  async closeRoom(roomId: ChannelId): Promise<void> {
    const there = [...this.#links.values()].filter(({ node }) => node.has(roomId));
    await Promise.all(there.map((link) => this.#command(link, { type: "close-room", roomId })));
  }

  /** As `closeRoom`, on every node: tokens of this room that nobody has used yet are good for nothing any more. */
  async voidRoom(roomId: ChannelId, voids: "all" | "plain"): Promise<void> {
    const done = [...this.#links.values()].map(async (link) => {
      const carriedOut = this.#command(link, { type: "close-room", roomId, voids });
      // One that is out of sight and has nobody there hears of it when it is back, and keeps nobody waiting.
      if (link.socket !== undefined || link.node.has(roomId)) await carriedOut;
    });
    await Promise.all(done);
  }

  /** Takes a node out of service: no new rooms, and those that are there end when they empty or at the deadline. False: no such node. */
  async drain(node: string, deadlineMs: number): Promise<boolean> {
    const link = this.#links.get(node);
    if (link === undefined) return false;
    link.node.draining = true;
    await this.#command(link, { type: "drain", deadlineMs });
    return true;
  }

  async undrain(node: string): Promise<boolean> {
    const link = this.#links.get(node);
    if (link === undefined) return false;
    link.node.draining = false;
    await this.#command(link, { type: "undrain" });
    return true;
  }

  /** By its present connection, which may be another one than when what leads to the order was said. */
  async #commandTo(node: string, order: Order): Promise<void> {
    const link = await this.#linkTo(node);
    if (link !== undefined) await this.#command(link, order);
  }

  /** The node, which an actor that has just begun waits for: it lives, and nobody knows yet. Undefined: it is dead. */
  async #linkTo(node: NodeId): Promise<Link | undefined> {
    const untilMs = this.#startedMs + SFU_PERIODS.nodeDeadMs;
    if (!this.#links.has(node) && Date.now() < untilMs) {
      const awaited = this.#awaited.get(node) ?? Promise.withResolvers<void>();
      this.#awaited.set(node, awaited);
      await Promise.race([awaited.promise, scheduler.wait(untilMs - Date.now())]);
      this.#awaited.delete(node);
    }
    return this.#links.get(node);
  }

  #command(link: Link, wished: Order): Promise<void> {
    const order: Order = { ...wished, ...quotable() };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#commands += 1;
    const id = `${this.#startedMs}.${this.#commands}`;
    const late = setTimeout(() => {
      log.warn("voice node does not obey", { nodeId: link.node.id, command: order.type });
      const present = this.#links.get(link.node.id);
      if (present !== undefined) this.#dead(present);
    }, COMMAND_MS);
    const done = (): void => {
      clearTimeout(late);
      link.pending.delete(id);
      resolve();
    };
    link.pending.set(id, { order, done });
    if (link.socket !== undefined) send(link.socket, { ...order, id });
    return promise;
  }

  // ── operators, and what is due ─────────────────────────────────────────────────────────────────────────────────

  async nodes(): Promise<NodeView[]> {
    return [...this.#links.values()].map(({ node, hasFormerSecret, socket }) => {
      const { id, url, region, version, draining, load, rooms } = node;
      return { id, url, region, version, draining, connected: socket !== undefined, hasFormerSecret, load, rooms };
    });
  }

  /** [VO8] Calls the channels where a place, a call or a node has had its time. Whoever is awake asks for it now and then, and may sleep meanwhile. */
  sweep(): Promise<void> {
    if (this.#sweeping) return Promise.resolve();
    this.#sweeping = true;
    this.ctx.waitUntil(
      this.#sweep()
        .catch((error: unknown) => log.warn("voice was not swept", { reason: String(error) }))
        .finally(() => {
          this.#sweeping = false;
        }),
    );
    return Promise.resolve();
  }

  async #sweep(): Promise<void> {
    // An actor that has just begun waits for the nodes to connect before it takes them for dead.
    await scheduler.wait(Math.max(0, this.#startedMs + SFU_PERIODS.nodeDeadMs - Date.now()));
    const alive = [...this.#links.keys()];
    for (const { channelId } of await this.#db.query(channelsDue, [alive])) {
      const channel = channelActor(this.env, channelId);
      await channel.voiceNodesLost({ allBut: alive });
      await channel.voiceDue();
    }
  }
}

/** A socket that just closed takes nothing; what was meant for it is sent again when its node is back. */
function send(socket: WebSocket, message: FromEdge): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}
