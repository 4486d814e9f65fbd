import { SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import { type NodeId, RoomClaims } from "@lescopains/protocol/sfu/token";
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import * as v from "valibot";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { ChannelId, JoinId } from "@lescopains/protocol/ids";
import { Remembered } from "./remembered.ts";

export interface TokenOptions {
  readonly nodeId: NodeId;
  /** The edge's public keys: during a rotation the old one and the new one, told apart by `kid`. */
  readonly keys: JSONWebKeySet;
  readonly now: () => number;
}

const wrong: Refusal = refuse("unauthenticated", "this is no room token for this node");
const expired: Refusal = refuse("token_expired", "this room token has expired: ask the edge for another");
const ended: Refusal = refuse("forbidden", "the stay that this room token is for has ended");
const used: Refusal = refuse("token_used", "this room token has joined already: ask the edge for another");

/** Longer than any token that was signed while the edge said so is good: one may be signed a moment after its stay has ended. */
const voidMs = 2 * SFU_PERIODS.roomTokenMs;

/** What of a JWT's header and claims this node takes: nothing but Ed25519 by a known key, for this node, for at most a minute. */
export class RoomTokens {
  readonly #options: TokenOptions;
  readonly #keys: ReturnType<typeof createLocalJWKSet>;
  readonly #used = new Remembered();
  readonly #endedStays = new Remembered();
  readonly #voidRooms = { all: new Remembered(), plain: new Remembered() };
  readonly #startedMs: number;

  constructor(options: TokenOptions) {
    this.#options = options;
    this.#keys = createLocalJWKSet(options.keys);
    this.#startedMs = options.now();
  }

  /** Verifies a token and uses it up. */
  async redeem(token: string): Promise<Outcome<RoomClaims>> {
    const claims = await this.#verify(token);
    if (!claims.ok) return claims;
    const { jti, iat, exp } = claims.value;
    const { clockToleranceMs, roomTokenMs } = SFU_PERIODS;
    if ((exp - iat) * 1_000 > roomTokenMs) return wrong;
    // Which tokens were used before a restart is not known any more.
    if (iat * 1_000 + clockToleranceMs < this.#startedMs) return expired;
    const refusal = this.voided(claims.value);
    if (refusal !== undefined) return refusal;
    const keepUntilMs = exp * 1_000 + clockToleranceMs;
    return this.#used.add(jti, keepUntilMs, this.#options.now()) ? claims : used;
  }

  /** From now on no token of this stay is taken. */
  voidStay(joinId: JoinId): void {
    this.#remember(this.#endedStays, joinId);
  }

  /** From now on no token of this room is taken, or none of those that call it plain. */
  voidRoom(roomId: ChannelId, which: "all" | "plain"): void {
    this.#remember(this.#voidRooms[which], roomId);
  }

  /** Why a token that was good is so no longer. */
  voided({ joinId, room, enc }: RoomClaims): Refusal | undefined {
    if (this.#endedStays.has(joinId) || this.#voidRooms.all.has(room)) return ended;
    return !enc && this.#voidRooms.plain.has(room) ? expired : undefined;
  }

  #remember(what: Remembered, id: string): void {
    const nowMs = this.#options.now();
    what.add(id, nowMs + voidMs, nowMs);
  }

  async #verify(token: string): Promise<Outcome<RoomClaims>> {
    const { nodeId, now } = this.#options;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: ["EdDSA"],
        audience: nodeId,
        typ: "room+jwt",
        clockTolerance: SFU_PERIODS.clockToleranceMs / 1_000,
        currentDate: new Date(now()),
        maxTokenAge: (SFU_PERIODS.roomTokenMs + SFU_PERIODS.clockToleranceMs) / 1_000,
      });
      const parsed = v.safeParse(RoomClaims, payload);
      if (!parsed.success) return wrong;
      // Frame keys are bound to a device.
      return parsed.output.enc && parsed.output.did === null ? wrong : ok(parsed.output);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return expired;
      if (error instanceof errors.JOSEError) return wrong;
      throw error;
    }
  }
}
