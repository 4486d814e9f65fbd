import type { ErrorCode } from "@lescopains/protocol/errors";
import type { ChannelId, JoinId, UserId } from "@lescopains/protocol/ids";
import type { VoiceEnd, VoiceJoined, VoiceRoster } from "@lescopains/protocol/voice";
import { batch, effect, type ReadonlySignal, signal } from "@preact/signals";
import { asApiError } from "../net/api-error.ts";
import { backoffMs } from "../sync/backoff.ts";
import type { Clock } from "../sync/ports.ts";
import type { FrameCrypto } from "./frames/frames.ts";
import type { MediaRoom, MediaRoomEvents, RoomEnd } from "./media-room.ts";
import type { Sender } from "./receiving.ts";

/** Where one is. */
export type VoiceState =
  /** In no call. `ended`: why the last one ended, unless one left it. */
  | { readonly kind: "idle"; readonly ended?: VoiceEnding }
  /** `joining`: on the way in. `reconnecting`: it was there, and comes back by itself. */
  | { readonly kind: "joining" | "reconnecting"; readonly channelId: ChannelId; readonly sinceMs: number }
  | { readonly kind: "joined"; readonly channelId: ChannelId; readonly sinceMs: number };

export interface VoiceEnding {
  readonly channelId: ChannelId;
  readonly why:
    | { readonly kind: "ended"; readonly reason: VoiceEnd }
    | { readonly kind: "refused"; readonly code: ErrorCode; readonly retryAfterMs: number | undefined }
    /** This browser cannot encrypt calls, and does not join in the clear. */
    | { readonly kind: "unsupported" }
    /** The browser could not set up media. */
    | { readonly kind: "failed" };
}

/** What a session needs of the server: sockets and REST behind it. */
export interface VoiceEdge {
  /** What comes before the server is asked may take its time: it is asked if `isWanted` by then. @throws ApiError */
  readonly take: (channelId: ChannelId, joinId: JoinId | undefined, isWanted: () => boolean) => Promise<VoiceJoined>;
  readonly leave: (channelId: ChannelId, joinId: JoinId) => void;
  readonly roster: (channelId: ChannelId) => ReadonlySignal<VoiceRoster | undefined>;
}

export interface SessionDeps {
  readonly selfId: UserId;
  readonly edge: VoiceEdge;
  /** Whether this browser can encrypt calls. */
  readonly canEncrypt: () => boolean;
  readonly startCrypto: (
    joined: VoiceJoined,
    events: { readonly onOver: () => void; readonly onKeyed: () => void },
  ) => FrameCrypto;
  readonly openRoom: (
    inputs: {
      readonly joined: VoiceJoined;
      readonly crypto: FrameCrypto;
      readonly stayOf: (sender: Sender) => string | undefined;
    },
    events: MediaRoomEvents,
  ) => MediaRoom;
  readonly sendFailed: MediaRoomEvents["sendFailed"];
  readonly clock: Clock;
  readonly random: () => number;
}

/** One's place in a voice channel or a call, which outlives connections, nodes and rooms. */
export interface VoiceSession {
  readonly state: ReadonlySignal<VoiceState>;
  readonly room: ReadonlySignal<MediaRoom | null>;
  readonly crypto: ReadonlySignal<FrameCrypto | null>;
  /** Grows with each key that comes or goes. */
  readonly keyed: ReadonlySignal<number>;
  /** Leaves where one is, and comes in there. */
  readonly join: (channelId: ChannelId) => Promise<void>;
  readonly leave: () => void;
  /** By the server's word the node of a room is gone, or there is one again. */
  readonly rejoin: (channelId: ChannelId, joinId: JoinId) => void;
  /** A place is gone, by the server's word. */
  readonly ended: (
    joinId: JoinId,
    reason: VoiceEnd,
    to: { readonly channelId: ChannelId; readonly joinId: JoinId | undefined } | undefined,
  ) => void;
}

/** Someone whose node is gone keeps their place for a minute; after that there is nothing to come back to. */
const GIVE_UP_MS = 60_000;
/** The node and the other members are told that a place was taken away before its holder is. */
const REASON_MS = 2_000;
/** So many rooms in a row to whose media there is no way: something stands between. */
const UNREACHABLE = 2;
const LOOK_EVERY_MS = 5_000;
/** Browsers hold the timers of a page that nobody sees back for a minute; one that comes later than this comes out of sleep. */
const ASLEEP_MS = 120_000;

/** The server's word that a place is gone; `to`: where a moderator put one. */
interface Word {
  readonly joinId: JoinId;
  readonly reason: VoiceEnd;
  readonly to: { readonly channelId: ChannelId; readonly joinId: JoinId | undefined } | undefined;
}

/** What one holds while one is somewhere. */
interface Stay {
  readonly channelId: ChannelId;
  joinId: JoinId | undefined;
  crypto: FrameCrypto | undefined;
  room: MediaRoom | undefined;
  attempt: number;
  /** Grows when a place is to be asked for once more: an answer to what was asked before comes too late. */
  round: number;
  /** Rooms in a row whose media could not be reached. */
  unreachable: number;
  /** It will be tried again by and by. */
  waits: boolean;
  /** Since when there is no media. */
  awaySinceMs: number;
  wasJoined: boolean;
  readonly stops: (() => void)[];
}

export function createSession(deps: SessionDeps): VoiceSession {
  const { edge, clock } = deps;
  const state = signal<VoiceState>({ kind: "idle" });
  const room = signal<MediaRoom | null>(null);
  const crypto = signal<FrameCrypto | null>(null);
  const keyed = signal(0);
  /** The present stay; whatever belongs to another one comes too late. */
  let stay: Stay | undefined;
  let cancelRetry: (() => void) | undefined;
  let cancelLook: (() => void) | undefined;
  /** On a place that this session does not know (yet): it may overtake the answer that names it. */
  let early: Word | undefined;
  /** The place of which the node said that it was taken away. */
  let kicked: JoinId | undefined;

  function show(kind: "joining" | "reconnecting" | "joined", { channelId }: Stay): void {
    const before = state.peek();
    const same = before.kind === kind && before.channelId === channelId;
    if (!same) state.value = { kind, channelId, sinceMs: clock.now() };
  }

  /** Lets go of everything of a stay. */
  function letGo(of: Stay, tell: "leave" | "close"): void {
    cancelRetry?.();
    cancelLook?.();
    if (stay === of) stay = undefined;
    for (const stop of of.stops) stop();
    closeRoom(of, tell);
    of.crypto?.close();
    of.crypto = undefined;
    crypto.value = null;
  }

  /** The place of a stay, if it has one: by its name, since another client of the same person may hold another by now. */
  function giveBack(of: Stay): void {
    if (of.joinId !== undefined) edge.leave(of.channelId, of.joinId);
    of.joinId = undefined;
  }

  function closeRoom(of: Stay, tell: "leave" | "close"): void {
    of.room?.[tell]();
    of.room = undefined;
    room.value = null;
  }

  function end(of: Stay, why: VoiceEnding["why"] | undefined): void {
    if (stay !== of) return;
    batch(() => {
      letGo(of, "close");
      state.value = why === undefined ? { kind: "idle" } : { kind: "idle", ended: { channelId: of.channelId, why } };
    });
  }

  async function join(channelId: ChannelId, joinId?: JoinId): Promise<void> {
    const before = stay;
    if (before !== undefined) {
      if (before.channelId === channelId && joinId === undefined) return;
      letGo(before, "leave");
    }
    const mine: Stay = {
      channelId,
      joinId,
      crypto: undefined,
      room: undefined,
      attempt: 0,
      round: 0,
      unreachable: 0,
      waits: false,
      awaySinceMs: clock.now(),
      wasJoined: false,
      stops: [],
    };
    stay = mine;
    show("joining", mine);
    watchSleep(mine);
    if (deps.canEncrypt()) await comeIn(mine);
    else end(mine, { kind: "unsupported" });
  }

  /** Whoever closed the lid hours ago does not expect to be heard when it opens. */
  function watchSleep(mine: Stay): void {
    const atMs = clock.now();
    cancelLook = clock.after(LOOK_EVERY_MS, () => {
      if (clock.now() - atMs < ASLEEP_MS) {
        watchSleep(mine);
        return;
      }
      giveBack(mine);
      end(mine, { kind: "ended", reason: "lost" });
    });
  }

  /** Asks for a place, or for another node under the same place, and brings media there. */
  async function comeIn(mine: Stay): Promise<void> {
    const { round } = mine;
    try {
      const joined = await edge.take(mine.channelId, mine.joinId, () => stay === mine && mine.round === round);
      if (stay !== mine) {
        // Left while it was asked. Whoever is on the way elsewhere has the place taken from them by that.
        if (stay === undefined) edge.leave(mine.channelId, joined.joinId);
        return;
      }
      if (mine.round !== round) return;
      if (early?.joinId === joined.joinId) {
        placeEnded(mine, early);
        return;
      }
      if (mine.crypto === undefined || mine.joinId !== joined.joinId) startCrypto(mine, joined);
      mine.joinId = joined.joinId;
      openRoom(mine, joined);
    } catch (thrown) {
      if (stay !== mine || mine.round !== round) return;
      const error = asApiError(thrown);
      const isTemporary = error.retry && error.code !== "room_full";
      if (error.code === "conflict" && mine.joinId !== undefined) {
        end(mine, { kind: "ended", reason: "replaced" });
      } else if (mine.wasJoined && isTemporary && clock.now() - mine.awaySinceMs < GIVE_UP_MS) {
        retry(mine, error.retryAfterMs);
      } else {
        giveBack(mine);
        end(mine, { kind: "refused", code: error.code, retryAfterMs: error.retryAfterMs });
      }
    }
  }

  function retry(mine: Stay, afterMs?: number): void {
    const delayMs = afterMs ?? (mine.attempt === 0 ? 0 : backoffMs(mine.attempt, deps.random));
    mine.attempt += 1;
    mine.round += 1;
    mine.waits = true;
    cancelRetry?.();
    cancelRetry = clock.after(delayMs, () => {
      mine.waits = false;
      if (stay === mine) void comeIn(mine);
    });
  }

  function startCrypto(mine: Stay, joined: VoiceJoined): void {
    for (const stop of mine.stops.splice(0)) stop();
    mine.crypto?.close();
    const roster = edge.roster(mine.channelId);
    const started = deps.startCrypto(joined, {
      onKeyed: () => (keyed.value += 1),
      onOver() {
        // This stay's keys are gone: another one begins.
        if (stay !== mine || mine.crypto !== started) return;
        started.close();
        mine.crypto = undefined;
        if (roster.peek()?.members.some(({ joinId }) => joinId === mine.joinId) !== false) {
          giveBack(mine);
          comeBack(mine);
        } else {
          // The place that the list does not name is named to the server, which knows whether it was taken elsewhere.
          awaitReason(mine, () => comeBack(mine));
        }
      },
    });
    mine.crypto = started;
    crypto.value = started;
    mine.stops.push(
      effect(() => {
        // The server's list is what it is; `joined.roster` is in it.
        const { epoch, members } = roster.value ?? joined.roster;
        started.roster({
          epoch,
          members: members.flatMap(({ userId, deviceId, joinId }) =>
            deviceId === null ? [] : [{ accountId: userId, deviceId, joinId }],
          ),
        });
        mine.room?.reconsider();
      }),
    );
  }

  function openRoom(mine: Stay, joined: VoiceJoined): void {
    if (mine.crypto === undefined) return;
    closeRoom(mine, "close");
    const roster = edge.roster(mine.channelId);
    const stayOf = ({ userId, deviceId }: Sender): string | undefined =>
      (roster.peek() ?? joined.roster).members.find((one) => one.userId === userId && one.deviceId === deviceId)
        ?.joinId;
    const opened = deps.openRoom(
      { joined, crypto: mine.crypto, stayOf },
      {
        here() {
          if (mine.room !== opened) return;
          mine.attempt = 0;
          mine.wasJoined = true;
          show("joined", mine);
        },
        away() {
          // Media may go on meanwhile: nothing is shown as lost before it is.
        },
        over: (how) => {
          if (mine.room === opened) roomOver(mine, how);
        },
        sendFailed: deps.sendFailed,
      },
    );
    mine.room = opened;
    room.value = opened;
  }

  function roomOver(mine: Stay, how: RoomEnd): void {
    mine.unreachable = how.kind === "unreachable" ? mine.unreachable + 1 : 0;
    if (mine.unreachable === UNREACHABLE) {
      giveBack(mine);
      end(mine, { kind: "ended", reason: "timeout" });
    } else if (how.kind === "failed") {
      giveBack(mine);
      end(mine, { kind: "failed" });
    } else if (how.kind === "closed" && how.reason === "moved" && how.channelId !== undefined) {
      void join(how.channelId);
    } else if (how.kind === "closed" && STAYS_AWAY.has(how.reason)) {
      if (how.reason === "kicked") kicked = mine.joinId;
      end(mine, { kind: "ended", reason: how.reason === "replaced" ? "replaced" : "disconnected" });
    } else if (how.kind === "refused" && how.error.code === "forbidden") {
      awaitReason(mine, () => end(mine, { kind: "ended", reason: "disconnected" }));
    } else {
      comeBack(mine);
    }
  }

  /** The place is gone, by the list of members or the node's word: the server says why, and where to, at the same moment. */
  function awaitReason(mine: Stay, otherwise: () => void): void {
    away(mine);
    mine.round += 1;
    cancelRetry?.();
    cancelRetry = clock.after(REASON_MS, () => {
      if (stay === mine) otherwise();
    });
  }

  /** There is no media for now. */
  function away(mine: Stay): void {
    if (state.peek().kind === "joined") mine.awaySinceMs = clock.now();
    closeRoom(mine, "close");
    show(mine.wasJoined ? "reconnecting" : "joining", mine);
  }

  /** The room is gone, the place is not. */
  function comeBack(mine: Stay): void {
    away(mine);
    if (clock.now() - mine.awaySinceMs >= GIVE_UP_MS) {
      giveBack(mine);
      end(mine, { kind: "ended", reason: "lost" });
    } else retry(mine);
  }

  function placeEnded(mine: Stay, { reason, to }: Word): void {
    if (to === undefined) end(mine, reason === "left" ? undefined : { kind: "ended", reason });
    else void join(to.channelId, to.joinId);
  }

  return {
    state,
    room,
    crypto,
    keyed,
    join: (channelId) => join(channelId),
    leave() {
      const mine = stay;
      if (mine === undefined) {
        state.value = { kind: "idle" };
        return;
      }
      giveBack(mine);
      batch(() => {
        letGo(mine, "leave");
        state.value = { kind: "idle" };
      });
    },
    rejoin(channelId, joinId) {
      if (stay?.channelId !== channelId || stay.joinId !== joinId) return;
      if (stay.room !== undefined) comeBack(stay);
      else if (stay.waits) retry(stay, 0);
    },
    ended(joinId, reason, to) {
      const mine = stay;
      if (mine === undefined) {
        // The node's word came first, and did not say why.
        const now = state.peek();
        if (now.kind === "idle" && now.ended !== undefined && joinId === kicked && reason !== "left") {
          state.value = { kind: "idle", ended: { channelId: now.ended.channelId, why: { kind: "ended", reason } } };
        }
        return;
      }
      const word = { joinId, reason, to };
      if (mine.joinId === joinId) placeEnded(mine, word);
      else early = word;
    },
  };
}

const STAYS_AWAY: ReadonlySet<string> = new Set(["left", "kicked", "replaced", "room_closed", "flood"]);
