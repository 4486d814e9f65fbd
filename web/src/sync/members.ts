import type { Member, Presence } from "@lescopains/protocol/entities";
import type { ServerId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import type { RouteAnswer } from "@lescopains/protocol/routes";
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type ApiError, asApiError } from "../net/api-error.ts";
import { backoffMs } from "./backoff.ts";
import type { MemberList } from "./live-types.ts";
import { perId } from "./per-id.ts";
import type { Clock } from "./ports.ts";
import { singleFlight } from "./single-flight.ts";

/** Members of servers: loaded in pages when a server is opened, kept by events, asked again where events don't tell presence. */
export interface MemberBook {
  readonly of: (serverId: ServerId) => ReadonlySignal<MemberList>;
  readonly open: (serverId: ServerId) => () => void;
  readonly put: (serverId: ServerId, member: Member) => void;
  readonly drop: (serverId: ServerId, userId: UserId) => void;
  readonly notePresences: (presences: readonly Presence[]) => void;
  /** Events were missed while the connection was away. */
  readonly reconnected: () => void;
  readonly close: () => void;
}

export interface MemberBookDeps {
  readonly loadPage: (serverId: ServerId, after: UserId | undefined) => Promise<RouteAnswer<"listMembers">>;
  /** Everyone that a page names. */
  readonly noteMembers: (members: readonly Member[]) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** With many people online, presence is not pushed and the list is read again this often. */
const REFRESH_MS = 25_000;

interface ServerMembers {
  /** Reads all pages; asked while it does, once more. */
  readonly load: () => Promise<void>;
  readonly list: Signal<ReadonlyMap<UserId, Member>>;
  readonly complete: Signal<boolean>;
  readonly error: Signal<ApiError | undefined>;
  openCount: number;
  /** What events changed while pages were loading; a page read before them must not undo it. `null`: left. */
  changes: Map<UserId, Member | null> | undefined;
  /** What was told of people's presence while pages were loading, likewise. */
  presences: Map<UserId, Presence>;
  cancelTimer: (() => void) | undefined;
  attempts: number;
}

export function createMemberBook(deps: MemberBookDeps): MemberBook {
  const opened = new Map<ServerId, ServerMembers>();

  function membersOf(serverId: ServerId): ServerMembers {
    const known = opened.get(serverId);
    if (known !== undefined) return known;
    const made: ServerMembers = {
      load: singleFlight(() => load(serverId, made)),
      list: signal(new Map()),
      complete: signal(false),
      error: signal(undefined),
      openCount: 0,
      changes: undefined,
      presences: new Map(),
      cancelTimer: undefined,
      attempts: 0,
    };
    opened.set(serverId, made);
    return made;
  }

  async function load(serverId: ServerId, server: ServerMembers): Promise<void> {
    server.cancelTimer?.();
    server.cancelTimer = undefined;
    const changes = new Map<UserId, Member | null>();
    server.changes = changes;
    server.presences = new Map();
    const loaded = new Map<UserId, Member>();
    try {
      let after: UserId | undefined;
      do {
        const page = await deps.loadPage(serverId, after);
        const members = withPresences(page.members, server.presences);
        for (const member of members) loaded.set(member.user.id, member);
        deps.noteMembers(members);
        after = page.next ?? undefined;
        // The first load shows as it comes; a later one replaces the list when it is whole.
        if (!server.complete.peek()) server.list.value = withChanges(loaded, changes);
      } while (after !== undefined && server.openCount > 0);
      if (after !== undefined) return;
      server.attempts = 0;
      batch(() => {
        for (const member of withPresences([...loaded.values()], server.presences)) loaded.set(member.user.id, member);
        server.list.value = withChanges(loaded, changes);
        server.complete.value = true;
        server.error.value = undefined;
      });
    } catch (thrown) {
      server.error.value = asApiError(thrown);
      server.attempts += 1;
    } finally {
      server.changes = undefined;
      schedule(server);
    }
  }

  function schedule(server: ServerMembers): void {
    if (server.openCount === 0) return;
    const failed = server.error.peek();
    if (failed !== undefined && !failed.retry) return;
    if (failed === undefined && online(server.list.peek()) <= LIMITS.presencePushOnline) return;
    const delayMs =
      failed === undefined ? REFRESH_MS : (failed.retryAfterMs ?? backoffMs(server.attempts, deps.random));
    server.cancelTimer = deps.clock.after(delayMs, () => void server.load());
  }

  function change(serverId: ServerId, userId: UserId, member: Member | null): void {
    const server = opened.get(serverId);
    if (server === undefined) return;
    server.changes?.set(userId, member);
    server.list.value = withChanges(server.list.peek(), new Map([[userId, member]]));
  }

  return {
    of: perId((serverId) => {
      const { list, complete, error } = membersOf(serverId);
      const members = computed(() => [...list.value.values()]);
      return computed(() => ({ members: members.value, complete: complete.value, error: error.value }));
    }),
    open(serverId) {
      const server = membersOf(serverId);
      server.openCount += 1;
      if (server.openCount === 1 && server.changes === undefined) void server.load();
      let left = false;
      return () => {
        if (left) return;
        left = true;
        server.openCount -= 1;
        if (server.openCount === 0) server.cancelTimer?.();
      };
    },
    put: (serverId, member) => change(serverId, member.user.id, member),
    drop: (serverId, userId) => change(serverId, userId, null),
    notePresences(presences) {
      for (const { list, changes, presences: meanwhile } of opened.values()) {
        const next = new Map(list.peek());
        let different = false;
        for (const presence of presences) {
          if (changes !== undefined) meanwhile.set(presence.userId, presence);
          const member = next.get(presence.userId);
          const now = member && withPresence(member, presence);
          if (now === undefined || now === member) continue;
          next.set(presence.userId, now);
          different = true;
        }
        if (different) list.value = next;
      }
    },
    reconnected() {
      for (const server of opened.values()) {
        // Pages on their way may have been read before what was missed.
        if (server.openCount > 0) void server.load();
        // Events of a server that is not open were missed too: it is loaded anew when it is opened again.
      }
    },
    close() {
      for (const server of opened.values()) {
        server.openCount = 0;
        server.cancelTimer?.();
      }
    },
  };
}

function withChanges(
  members: ReadonlyMap<UserId, Member>,
  changes: ReadonlyMap<UserId, Member | null>,
): ReadonlyMap<UserId, Member> {
  const next = new Map(members);
  for (const [userId, member] of changes) {
    if (member === null) next.delete(userId);
    else next.set(userId, member);
  }
  return next;
}

function withPresences(members: readonly Member[], presences: ReadonlyMap<UserId, Presence>): readonly Member[] {
  return members.map((member) => withPresence(member, presences.get(member.user.id)));
}

/** The same member when nothing is different. */
function withPresence(member: Member, presence: Presence | undefined): Member {
  if (presence === undefined) return member;
  const { status, customStatus } = presence;
  if (member.status === status && member.customStatus === customStatus) return member;
  const { customStatus: _before, ...rest } = member;
  return { ...rest, status, ...(customStatus === undefined ? {} : { customStatus }) };
}

function online(members: ReadonlyMap<UserId, Member>): number {
  let count = 0;
  for (const { status } of members.values()) if (status !== "offline") count += 1;
  return count;
}
