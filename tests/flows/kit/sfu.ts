import { createHmac } from "node:crypto";
import type { ChannelId } from "@lescopains/protocol/ids";
import { type Command, FromEdge, type FromNode, type NodeLoad, type Presence } from "@lescopains/protocol/sfu/registry";
import type { CloseReason } from "@lescopains/protocol/sfu/room";
import { RoomClaims } from "@lescopains/protocol/sfu/token";
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import * as v from "valibot";
import { WebSocket } from "ws";
import { v7 } from "uuid";
import { publicSigningKey } from "../../../tools/stack/secrets.ts";
import type { Place } from "./place.ts";
import { waitFor } from "./wait.ts";

export interface SfuOptions {
  readonly id?: string;
  readonly region?: string;
  readonly url?: string;
  readonly load?: Partial<NodeLoad>;
  /** Another secret than the edge's. */
  readonly secret?: string;
}

const HEARTBEAT_MS = 1_000;

/**
 * A voice node as far as the edge can see it: speaks the registry's wire, and lets people in who bring a good token. It forwards
 * nothing.
 */
export class FakeSfu {
  readonly id: string;
  readonly commands: Command[] = [];
  readonly rooms = new Map<ChannelId, Map<string, Presence>>();
  /** Of the present connection. */
  ws: WebSocket | undefined;
  closed: { readonly code: number; readonly reason: string } | undefined;
  isWelcome = false;
  /** Commands are carried out and answered. */
  obeys = true;
  draining = false;
  readonly #place: Pick<Place, "url" | "secrets">;
  readonly #options: SfuOptions;
  #heartbeat: NodeJS.Timeout | undefined;
  #startedAt = Date.now();

  constructor(place: Pick<Place, "url" | "secrets">, options: SfuOptions = {}) {
    this.#place = place;
    this.#options = options;
    this.id = options.id ?? "local";
  }

  get #secret(): string {
    return this.#options.secret ?? this.#place.secrets.sfuSecret;
  }

  get load(): NodeLoad {
    return { cpu: 0, rooms: this.rooms.size, peers: 0, bitrateIn: 0, bitrateOut: 0, ...this.#options.load };
  }

  async authorization(): Promise<string> {
    const jwt = new SignJWT().setProtectedHeader({ alg: "HS256" }).setIssuer(this.id).setAudience("sfu-registry");
    return `Bearer ${await jwt.setIssuedAt().setExpirationTime("60s").sign(Buffer.from(this.#secret))}`;
  }

  /** Connects and registers; resolves when the edge has proved itself. */
  async start(authorization?: string): Promise<this> {
    const url = `${this.#place.url.replace(/^http/, "ws")}/sfu-registry`;
    const ws = new WebSocket(url, { headers: { authorization: authorization ?? (await this.authorization()) } });
    this.ws = ws;
    this.closed = undefined;
    this.isWelcome = false;
    const nonce = v7();
    ws.on("error", () => undefined);
    ws.on("close", (code, reason) => {
      if (this.ws === ws) this.closed = { code, reason: String(reason) };
    });
    ws.on("unexpected-response", (_, response) => {
      this.closed = { code: response.statusCode ?? 0, reason: "refused" };
    });
    ws.on("message", (data: Buffer) => this.#take(v.parse(FromEdge, JSON.parse(data.toString("utf8"))), nonce));
    ws.on("open", () => this.register(nonce));
    await waitFor("the edge's welcome", () => this.isWelcome || this.closed !== undefined);
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    return this;
  }

  register(nonce: string, nodeId = this.id): void {
    this.tell({
      type: "register",
      nodeId,
      nonce,
      region: this.#options.region ?? "",
      url: this.#options.url ?? "",
      version: "0",
      startedAt: this.#startedAt,
      workers: 1,
      draining: this.draining,
      load: this.load,
      rooms: [...this.rooms].map(([roomId, peers]) => ({ roomId, encrypted: true, peers: [...peers.values()] })),
    });
  }

  tell(message: FromNode): void {
    if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(message));
  }

  beat(): void {
    this.tell({ type: "heartbeat", draining: this.draining, load: this.load });
  }

  /** Lets somebody in by a room token, as the real one does: for this node, by the edge's key. */
  async admit(token: string): Promise<RoomClaims> {
    const keys = createLocalJWKSet({ keys: [publicSigningKey(this.#place.secrets)] });
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["EdDSA"],
      audience: this.id,
      typ: "room+jwt",
      maxTokenAge: "60s",
    });
    const claims = v.parse(RoomClaims, payload);
    const room = this.rooms.get(claims.room) ?? new Map<string, Presence>();
    this.rooms.set(claims.room, room);
    for (const [peerId, peer] of room)
      if (peer.userId === claims.sub && peer.deviceId === claims.did) this.leave(claims.room, peerId, "replaced");
    const { joinId, sub: userId, did: deviceId, sid: sessionId } = claims;
    const peer = { peerId: v7(), joinId, userId, deviceId, sessionId, sources: [] };
    room.set(peer.peerId, peer);
    this.tell({ type: "joined", roomId: claims.room, peer });
    return claims;
  }

  leave(roomId: ChannelId, peerId: string, reason: CloseReason): void {
    const room = this.rooms.get(roomId);
    const peer = room?.get(peerId);
    if (room === undefined || peer === undefined) return;
    room.delete(peerId);
    this.tell({ type: "left", roomId, peerId, userId: peer.userId, sessionId: peer.sessionId, reason });
  }

  /** Whoever is in a room goes. */
  empty(roomId: ChannelId, reason: CloseReason): void {
    for (const peerId of this.rooms.get(roomId)?.keys() ?? []) this.leave(roomId, peerId, reason);
  }

  people(roomId: ChannelId): string[] {
    return [...(this.rooms.get(roomId)?.values() ?? [])].map(({ userId }) => userId);
  }

  of<T extends Command["type"]>(type: T): Extract<Command, { type: T }>[] {
    return this.commands.filter((command): command is Extract<Command, { type: T }> => command.type === type);
  }

  /** Says nothing any more, and keeps the connection. */
  fallSilent(): void {
    clearInterval(this.#heartbeat);
    this.ws?.removeAllListeners("message");
  }

  /** As a process that was killed. */
  kill(): void {
    clearInterval(this.#heartbeat);
    this.rooms.clear();
    this.#startedAt += 1;
    this.ws?.terminate();
  }

  /** The connection alone is lost. */
  cut(): void {
    clearInterval(this.#heartbeat);
    this.ws?.terminate();
  }

  #take(message: FromEdge, nonce: string): void {
    if (message.type === "beat") return;
    if (message.type === "welcome") {
      const proof = createHmac("sha256", this.#secret).update(`${this.id} ${nonce}`).digest("base64url");
      if (message.proof !== proof) throw new Error("the edge does not know the secret");
      this.isWelcome = true;
      return;
    }
    this.commands.push(message);
    if (!this.obeys) return;
    let found = false;
    if (message.type === "kick" || message.type === "move") {
      for (const [peerId, peer] of this.rooms.get(message.roomId) ?? []) {
        if (peer.joinId !== message.joinId) continue;
        this.leave(message.roomId, peerId, message.type === "kick" ? "kicked" : "moved");
        found = true;
      }
    } else if (message.type === "close-room") {
      found = this.rooms.has(message.roomId);
      this.empty(message.roomId, "room_closed");
    } else if (message.type === "drain") {
      this.draining = true;
    } else if (message.type === "undrain") {
      this.draining = false;
    }
    this.tell({ type: "done", id: message.id, found });
  }
}
