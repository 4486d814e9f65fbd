import type { Presence } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import type { LocalPresence } from "../gateway/messages.ts";

/** A presence to tell: to every member, or to the person's own sockets alone. */
export interface PresenceNews {
  readonly to: "members" | readonly UserId[];
  readonly presence: Presence;
}

/** One person: what each shard says of them, and what others and they themselves were last told. */
interface Person {
  readonly shards: Map<number, LocalPresence>;
  toldOthers: string;
  toldSelf: string;
}

const OFFLINE = key({ status: "offline" });
/** Equal to nothing that can be shown: tell in any case. */
const UNKNOWN = "";

/**
 * Who is online in a server and what is shown of them. Pure: whoever holds it calls `take` at most once a second while
 * `hasNews`. Changes that cancel each other out in between are never told.
 */
export class PresenceTable {
  readonly #people = new Map<UserId, Person>();
  /** Who may have something new for others, and for themselves. */
  readonly #newsForOthers = new Set<UserId>();
  readonly #newsForSelf = new Set<UserId>();
  readonly #pushUpTo: number;
  #online = 0;

  /** @param pushUpTo with more people connected than this, others are told nothing one by one */
  constructor(pushUpTo: number) {
    this.#pushUpTo = pushUpTo;
  }

  /** People with at least one connection, invisible ones included. */
  get online(): number {
    return this.#online;
  }

  isOnline(userId: UserId): boolean {
    return (this.#people.get(userId)?.shards.size ?? 0) > 0;
  }

  /** Everyone with a connection. */
  *users(): IterableIterator<UserId> {
    for (const [userId, { shards }] of this.#people) if (shards.size > 0) yield userId;
  }

  /** Takes over what a shard knew before this table existed: everyone has been told already. */
  seed(userId: UserId, shard: number, presence: LocalPresence): void {
    this.set(userId, shard, presence);
    const person = this.#person(userId);
    person.toldOthers = key(this.shown(userId));
    person.toldSelf = key(this.own(userId));
    this.#newsForOthers.delete(userId);
    this.#newsForSelf.delete(userId);
  }

  /** What others were told of this person is not known (any more): the next `take` says it in any case. */
  unsure(userId: UserId): void {
    const person = this.#person(userId);
    person.toldOthers = UNKNOWN;
    person.toldSelf = UNKNOWN;
    this.#changed(userId);
  }

  set(userId: UserId, shard: number, presence: LocalPresence): void {
    const { shards } = this.#person(userId);
    if (shards.size === 0) this.#online += 1;
    shards.set(shard, presence);
    this.#changed(userId);
  }

  /** The person chose this, on whichever connection: it holds for all of them. */
  choose(userId: UserId, shard: number, presence: LocalPresence): void {
    this.set(userId, shard, presence);
    const { shards } = this.#person(userId);
    for (const other of shards.keys()) shards.set(other, presence);
  }

  /** The last connection on that shard is gone. */
  clear(userId: UserId, shard: number): void {
    const shards = this.#people.get(userId)?.shards;
    if (shards?.delete(shard) !== true) return;
    if (shards.size === 0) this.#online -= 1;
    this.#changed(userId);
  }

  /** The person is no longer a member: there is nothing to tell of them. */
  remove(userId: UserId): void {
    if (this.isOnline(userId)) this.#online -= 1;
    this.#people.delete(userId);
    this.#newsForOthers.delete(userId);
    this.#newsForSelf.delete(userId);
  }

  /** What others see. */
  shown(userId: UserId): Omit<Presence, "userId"> {
    const shards = this.#people.get(userId)?.shards;
    if (shards === undefined) return { status: "offline" };
    const visible = mostPresent(shards.values());
    return visible === undefined ? { status: "offline" } : told(visible.status, visible.customStatus);
  }

  /** What the person sees of themself: the same, but an invisible one keeps their custom status. */
  own(userId: UserId): Omit<Presence, "userId"> {
    const shown = this.shown(userId);
    if (shown.status !== "offline") return shown;
    for (const { customStatus } of this.#people.get(userId)?.shards.values() ?? []) {
      if (customStatus !== undefined) return told("offline", customStatus);
    }
    return shown;
  }

  /**
   * At most `limit` people who are shown as anything but offline; `reader` first, as they see themself. When changes are not
   * told one by one, nobody else: what could not be kept current is read from the member list when it is looked at.
   */
  shownTo(reader: UserId, limit: number): Presence[] {
    const presences: Presence[] = [{ userId: reader, ...this.own(reader) }];
    if (!this.#pushes) return presences;
    for (const [userId] of this.#people) {
      if (presences.length >= limit) break;
      if (userId === reader) continue;
      const shown = this.shown(userId);
      if (shown.status !== "offline") presences.push({ userId, ...shown });
    }
    return presences;
  }

  /** Whether `take` would have something to look at now. */
  get hasNews(): boolean {
    return this.#newsForSelf.size > 0 || (this.#pushes && this.#newsForOthers.size > 0);
  }

  /** What is to be told now, about at most `limit` people; the rest stays for the next time. */
  take(limit: number): PresenceNews[] {
    const news: PresenceNews[] = [];
    const pushes = this.#pushes;
    let left = limit;
    for (const userId of pushes ? this.#newsForOthers : []) {
      if (left === 0) break;
      left -= 1;
      this.#newsForOthers.delete(userId);
      const person = this.#person(userId);
      const shown = this.shown(userId);
      if (key(shown) !== person.toldOthers) {
        news.push({ to: "members", presence: { userId, ...shown } });
        person.toldOthers = key(shown);
        person.toldSelf = key(shown);
      }
      this.#forgetIfGone(userId, person);
    }
    for (const userId of this.#newsForSelf) {
      if (left === 0) break;
      left -= 1;
      this.#newsForSelf.delete(userId);
      const person = this.#people.get(userId);
      if (person === undefined || person.shards.size === 0) continue;
      const own = this.own(userId);
      // After the news for all, which reaches the person too and would say less.
      if (key(own) !== person.toldSelf) news.push({ to: [userId], presence: { userId, ...own } });
      person.toldSelf = key(own);
    }
    return news;
  }

  get #pushes(): boolean {
    return this.#online <= this.#pushUpTo;
  }

  #person(userId: UserId): Person {
    let person = this.#people.get(userId);
    if (person === undefined) {
      person = { shards: new Map(), toldOthers: OFFLINE, toldSelf: OFFLINE };
      this.#people.set(userId, person);
    }
    return person;
  }

  #changed(userId: UserId): void {
    this.#newsForOthers.add(userId);
    this.#newsForSelf.add(userId);
  }

  #forgetIfGone(userId: UserId, person: Person): void {
    if (person.shards.size === 0) this.#people.delete(userId);
  }
}

/** `dnd` before `online` before `idle`; invisible ones do not count. */
function mostPresent(presences: Iterable<LocalPresence>): (LocalPresence & { status: Visible }) | undefined {
  let most: (LocalPresence & { status: Visible }) | undefined;
  for (const { status, customStatus } of presences) {
    if (status === "invisible") continue;
    if (most !== undefined && ORDER[status] < ORDER[most.status]) continue;
    const said = customStatus ?? most?.customStatus;
    most = said === undefined ? { status } : { status, customStatus: said };
  }
  return most;
}

type Visible = Exclude<LocalPresence["status"], "invisible">;
const ORDER: Readonly<Record<Visible, number>> = { idle: 0, online: 1, dnd: 2 };

function told(status: Presence["status"], customStatus: string | undefined): Omit<Presence, "userId"> {
  return customStatus === undefined ? { status } : { status, customStatus };
}

function key({ status, customStatus }: Omit<Presence, "userId">): string {
  return `${status} ${customStatus ?? ""}`;
}
