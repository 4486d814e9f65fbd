import { createHash, timingSafeEqual } from "node:crypto";
import { SFU_LIMITS, SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import { type SfuRequest, SFU_REQUESTS } from "@lescopains/protocol/sfu/requests";
import * as v from "valibot";
import type { RoomTokens } from "../auth/room-token.ts";
import { Bucket, Limiter } from "../platform/bucket.ts";
import type { Logger } from "../platform/logger.ts";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { Link, Peer } from "../rooms/peer.ts";
import type { Room } from "../rooms/room.ts";
import type { Place, Rooms } from "../rooms/rooms.ts";
import { HANDLERS, isRequest } from "./requests.ts";

/** A place in a room, and the token that speaks for it. */
export interface Session extends Place {
  /** Joined over HTTP: it has no socket, and its requests bring the token. */
  readonly overHttp: boolean;
  readonly bucket: Bucket;
  /** Refusals it is granted before it is thrown out. */
  readonly patience: Bucket;
  /** Ends the place unless it is called off. */
  expiry: NodeJS.Timeout | undefined;
}

export interface SessionsOptions {
  readonly rooms: Rooms;
  readonly tokens: RoomTokens;
  readonly log: Logger;
  readonly now: () => number;
}

export interface JoinRequest {
  readonly token: string;
  readonly resumeKey?: string | undefined;
  /** By what joins are limited. */
  readonly address: string;
  readonly overHttp: boolean;
}

/** Points of the peer's bucket: everything about the room is told anew. */
const resumeCost = 20;

const replaced = refuse("conflict", "this device has joined with another token at the same moment");
const draining = refuse("node_draining", "this node takes no new rooms: ask the edge for another");

/**
 * Who speaks for which place. A token joins once; afterwards it speaks for the place that it made, over HTTP, or together with the resume key over
 * a new socket, until that place is gone.
 */
export class Sessions {
  /** The node takes no new rooms. */
  draining = false;
  readonly #options: SessionsOptions;
  readonly #byToken = new Map<string, Session>();
  readonly #perAddress = new Limiter(SFU_LIMITS.joinsPerSecond, SFU_LIMITS.joinBurst);
  readonly #perToken = new Limiter(SFU_LIMITS.attemptsPerToken / 60, SFU_LIMITS.attemptsPerToken);

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byToken.size;
  }

  /** Takes a place with a token, or takes one back with a token and its resume key. */
  async join({ token, resumeKey, address, overHttp }: JoinRequest): Promise<Outcome<Session>> {
    const { now, tokens, rooms, log } = this.#options;
    const key = nameOf(token);
    const known = this.#byToken.get(key);
    const bySocket = known?.overHttp === false && !overHttp;
    if (bySocket && resumeKey !== undefined && isSame(resumeKey, known.peer.resumeKey)) {
      const taken = known.bucket.take(resumeCost, now());
      if (!taken.ok) return tooMany("too many reconnects", taken.retryAfterMs);
      log.info("peer resumed", logFields(known));
      return ok(known);
    }
    for (const attempt of [this.#perAddress.take(address, now()), this.#perToken.take(key, now())]) {
      if (!attempt.ok) return tooMany("too many joins", attempt.retryAfterMs);
    }
    const claims = await tokens.redeem(token);
    if (!claims.ok) return claims;
    // Who is expected in a call that goes on here finds the others nowhere else.
    if (this.draining && rooms.get(claims.value.room) === undefined) return draining;
    const place = await rooms.join(claims.value);
    if (!place.ok) return place;
    // Replaced by another join of the same device before this line ran.
    if (place.value.peer.leftFor !== undefined) return replaced;
    const session: Session = {
      ...place.value,
      overHttp,
      bucket: new Bucket(SFU_LIMITS.requestsPerSecond, SFU_LIMITS.requestBurst, now()),
      patience: new Bucket(SFU_LIMITS.refusalsPerSecond, SFU_LIMITS.refusalBurst, now()),
      expiry: undefined,
    };
    this.#byToken.set(key, session);
    session.peer.onLeave(() => {
      this.#byToken.delete(key);
      clearTimeout(session.expiry);
    });
    this.#expect(session);
    return ok(session);
  }

  /** The place a token speaks for over HTTP. */
  overHttp(token: string): Session | undefined {
    const session = this.#byToken.get(nameOf(token));
    return session?.overHttp === true ? session : undefined;
  }

  /** A socket speaks for this place from now on. */
  attach(session: Session, link: Link): void {
    clearTimeout(session.expiry);
    session.expiry = undefined;
    session.peer.attach(link);
    link.send("ready", session.room.snapshot(session.peer));
    session.room.tellSpeakersTo(session.peer);
  }

  /** A socket is gone; the place waits for another. */
  detach(session: Session, link: Link): void {
    if (session.peer.detach(link)) this.#expect(session);
  }

  /** Without a sign of life the place ends. Over HTTP, media that flows is one. */
  #expect(session: Session): void {
    clearTimeout(session.expiry);
    if (session.peer.leftFor !== undefined) return;
    session.expiry = setTimeout(() => {
      const flows = [...session.peer.transports.values()].some(({ state }) => state === "connected");
      if (session.overHttp && flows) this.#expect(session);
      else session.room.leave(session.peer, "lost");
    }, SFU_PERIODS.resumeMs);
    session.expiry.unref();
  }

  /** One request of a peer: limit → parse → do, in the order they came. The answer is the request's own, without `ok`. */
  async request(session: Session, name: string, body: unknown): Promise<Outcome<object>> {
    const { room, peer, bucket, patience } = session;
    const nowMs = this.#options.now();
    const taken = bucket.take(isRequest(name) ? HANDLERS[name].cost : 1, nowMs);
    if (!taken.ok) {
      if (!patience.take(1, nowMs).ok) room.leave(peer, "flood");
      return tooMany("too many requests", taken.retryAfterMs);
    }
    if (session.overHttp) this.#expect(session);
    if (!isRequest(name)) return refuse("unknown_event", "there is no such request");
    const parsed = parse(name, body);
    if (!parsed.ok) return parsed;
    return peer.inTurn(async () => {
      if (peer.leftFor !== undefined) return refuse("not_found", "this place in the room is gone");
      return handle(name, room, peer, parsed.value);
    });
  }
}

/** The table's types tie each name to its body; here the name is any of them. */
async function handle(name: SfuRequest, room: Room, peer: Peer, body: unknown): Promise<Outcome<object>> {
  const handler = HANDLERS[name] as { handle(room: Room, peer: Peer, body: unknown): Promise<Outcome<object>> };
  return handler.handle(room, peer, body);
}

function parse(name: SfuRequest, body: unknown): Outcome<unknown> {
  const parsed = v.safeParse(SFU_REQUESTS[name].body, body ?? {}, { abortPipeEarly: true });
  if (parsed.success) return ok(parsed.output);
  const issues = parsed.issues.slice(0, 5).map((issue) => ({
    path: v.getDotPath(issue) ?? "",
    message: issue.message.replace(/ but received .*$/s, ""),
  }));
  return refuse("invalid_request", "the request does not fit the contract", { details: { issues } });
}

function tooMany(message: string, retryAfterMs: number): Refusal {
  return refuse("rate_limited", message, { retryAfterMs });
}

/** Tokens are kept as hashes: a memory dump holds none. */
function nameOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What a log line says about a place. */
export function logFields({ room, peer }: Place): { roomId: string; peerId: string; userId: string } {
  return { roomId: room.id, peerId: peer.id, userId: peer.userId };
}
