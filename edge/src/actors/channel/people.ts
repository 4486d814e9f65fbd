import type { UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import { DIRECT_PERMISSIONS, type PeopleRow } from "../../db/dms.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";

/** Who is in a direct conversation, and since which event. */
export class People {
  readonly #joinedSeq: Map<UserId, number>;
  #ownerId: UserId | null;

  constructor(rows: readonly PeopleRow[]) {
    this.#joinedSeq = new Map(rows.map(({ userId, joinedSeq }) => [userId, joinedSeq]));
    this.#ownerId = rows[0]?.ownerId ?? null;
  }

  get ids(): UserId[] {
    return [...this.#joinedSeq.keys()];
  }

  /** The event after which the conversation is a person's to see. */
  joinedSeq(userId: UserId): number {
    return this.#joinedSeq.get(userId) ?? Number.MAX_SAFE_INTEGER;
  }

  permissions(userId: UserId): PermissionBits {
    return this.#joinedSeq.has(userId) ? DIRECT_PERMISSIONS : 0n;
  }

  has(userId: UserId): boolean {
    return this.#joinedSeq.has(userId);
  }

  add(userId: UserId, joinedSeq: number): void {
    this.#joinedSeq.set(userId, joinedSeq);
  }

  remove(userId: UserId): void {
    this.#joinedSeq.delete(userId);
    if (this.#ownerId === userId) this.#ownerId = null;
  }

  /** Whether one person may add another to this group; whether they may reach them is asked elsewhere. */
  mayAdd(by: UserId, isGroup: boolean): Outcome<undefined> {
    if (!this.has(by)) return NO_CHANNEL;
    if (!isGroup) return NO_GROUP;
    if (this.#joinedSeq.size >= LIMITS.dmPeople)
      return refuse("limit_reached", `a group has at most ${LIMITS.dmPeople} people`);
    return ok();
  }

  /** Everyone may leave; who made the group may remove others. */
  mayRemove(by: UserId, userId: UserId, isGroup: boolean): Outcome<undefined> {
    if (!this.has(by)) return NO_CHANNEL;
    if (!isGroup) return NO_GROUP;
    if (by !== userId && by !== this.#ownerId) return refuse("forbidden", "only who made the group removes people");
    return ok();
  }
}

const NO_CHANNEL = refuse("not_found", "no such channel");
const NO_GROUP = refuse("conflict", "a conversation of two has no others");
