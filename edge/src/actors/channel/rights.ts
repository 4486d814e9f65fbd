import type { ServerId, UserId } from "@lescopains/protocol/ids";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import type { People } from "./people.ts";

/** What says who may do what in a channel: a server, or the people of a direct conversation. */
export type Access = { readonly serverId: ServerId } | { readonly people: People };

/** Permissions, and which state of the channel's rights they were read in. */
export interface Granted {
  readonly bits: PermissionBits;
  readonly epoch: number;
}

/** Effective permissions of people in one channel. */
export class Rights {
  /** As promises, so that concurrent questions are asked once and answered in order. */
  readonly #bits = new Map<UserId, Promise<PermissionBits>>();
  readonly #ask: (serverId: ServerId, userId: UserId) => Promise<PermissionBits>;
  #epoch = 0;

  /** @param ask asks a server's actor */
  constructor(ask: (serverId: ServerId, userId: UserId) => Promise<PermissionBits>) {
    this.#ask = ask;
  }

  /** Goes up when rights may have changed; what was read under an older epoch is read again before use. */
  get epoch(): number {
    return this.#epoch;
  }

  changed(): void {
    this.#epoch += 1;
    this.#bits.clear();
  }

  /** Effective permissions now. A read that rights changed under is repeated. */
  async of(access: Access, userId: UserId): Promise<Granted> {
    if ("people" in access) return { bits: access.people.permissions(userId), epoch: this.#epoch };
    for (;;) {
      const epoch = this.#epoch;
      let asked = this.#bits.get(userId);
      if (asked === undefined) {
        asked = this.#ask(access.serverId, userId);
        this.#bits.set(userId, asked);
        asked.catch(() => this.#bits.delete(userId));
      }
      const bits = await asked;
      if (epoch === this.#epoch) return { bits, epoch };
    }
  }
}
