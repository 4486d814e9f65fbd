/**
 * Voice in this browser: begin here.
 *
 * ```
 * own-media.ts    microphone, camera, screen ──▶ what is to be sent
 *                                                    │
 * session.ts      one's place: comes in, comes back  ▼
 *      └─ media-room.ts    a room of an SFU node: sending.ts, receiving.ts over sfu-link.ts (signalling) and transports.ts (paths)
 *      └─ frames/          the keys of this stay, and every frame through a worker
 *                                                    │
 * listening.ts    how loud each person is heard  ◀───┘
 * ```
 */
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { VoiceMember } from "@lescopains/protocol/voice";
import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { asApiError } from "../net/api-error.ts";
import type { Clock } from "../sync/ports.ts";
import type { VoiceLine } from "../sync/voice-line.ts";
import type { Cue } from "./cues.ts";
import type { Listening } from "./listening.ts";
import { createOwnMedia, type DevicePort, type OwnMedia } from "./own-media.ts";
import type { PrefBook } from "./prefs.ts";
import { createQualityMeter, type Quality } from "./quality.ts";
import type { Remote } from "./receiving.ts";
import { createSession, type SessionDeps, type VoiceSession } from "./session.ts";

export interface VoiceDeps extends Omit<SessionDeps, "edge" | "sendFailed"> {
  readonly line: VoiceLine;
  readonly take: SessionDeps["edge"]["take"];
  readonly prefs: PrefBook;
  readonly devices: DevicePort;
  readonly createListening: () => Listening;
  readonly playCue: (cue: Cue) => void;
  readonly clock: Clock;
}

/** Everything of the calls of a signed-in person in this browser. */
export interface Voice {
  readonly state: VoiceSession["state"];
  readonly crypto: VoiceSession["crypto"];
  /** Grows whenever a key came or went: the safety code may be another one. */
  readonly keyed: VoiceSession["keyed"];
  readonly own: OwnMedia;
  /** What others send, by producer. */
  readonly remotes: ReadonlySignal<ReadonlyMap<string, Remote>>;
  /** Who is heard now. */
  readonly speaking: ReadonlySignal<ReadonlySet<UserId>>;
  readonly quality: ReadonlySignal<Quality | null>;
  /** What one was refused to send last: the right is missing, or it does not work. */
  readonly sendRefused: ReadonlySignal<string | null>;
  /** Oneself in the list of the place where one is. */
  readonly member: ReadonlySignal<VoiceMember | undefined>;
  readonly watch: (producerId: string, widthPx: number, apart: boolean) => () => void;
  readonly join: (channelId: ChannelId) => void;
  readonly leave: () => void;
  readonly close: () => void;
}

/** Quality is looked at this often. */
const MEASURE_EVERY_MS = 2_000;
/** What could not be told of oneself is told again after this, unless the server says when. */
const SAY_AGAIN_MS = 2_000;
const NO_REMOTES: ReadonlyMap<string, Remote> = new Map();

export function createVoice(deps: VoiceDeps): Voice {
  const { line, selfId, prefs, clock } = deps;
  const sendRefused = signal<string | null>(null);
  const quality = signal<Quality | null>(null);
  const own = createOwnMedia(deps.devices, prefs);
  const session = createSession({
    ...deps,
    edge: {
      take: deps.take,
      leave: (channelId, joinId) => void line.leave(channelId, joinId).catch(() => undefined),
      roster: line.roster,
    },
    sendFailed(source, error) {
      sendRefused.value = asApiError(error).code;
      if (source === "camera") void own.setCamera(false);
      else if (source === "screen") void own.setScreen(false);
    },
  });
  const { state, room } = session;

  const channelId = computed(() => (state.value.kind === "idle" ? undefined : state.value.channelId));
  const members = computed(() =>
    channelId.value === undefined ? [] : (line.roster(channelId.value).value?.members ?? []),
  );
  const member = computed(() => members.value.find(({ userId }) => userId === selfId));
  const remotes = computed(() => room.value?.remotes.value ?? NO_REMOTES);
  const deafened = computed(() => own.deafened.value || member.value?.serverDeafened === true);

  const speaking = computed(() => {
    const heard = room.value?.speakers.value ?? new Set<string>();
    const users = new Set<UserId>();
    for (const { peerId, userId, source, paused } of remotes.value.values()) {
      if (source === "audio" && !paused && heard.has(peerId)) users.add(userId);
    }
    const microphone = own.microphone.value;
    if (microphone?.open.value === true && !own.muted.value && member.value?.serverMuted !== true) users.add(selfId);
    return users;
  });

  const stops = [
    line.on("ended", ({ joinId, reason, to }) => {
      if (to !== undefined) cue("moved");
      session.ended(joinId, reason, to);
    }),
    line.on("rejoin", ({ channelId: where, joinId }) => session.rejoin(where, joinId)),
    // What one sends goes to whichever room there is.
    effect(() => {
      const here = room.value;
      const sent = own.sent.value;
      for (const source of ["audio", "camera", "screen", "screen-audio"] as const) here?.send(source, sent.get(source));
    }),
    effect(() => room.value?.hear(!deafened.value)),
    // What was refused for want of a right is another matter with other rights.
    effect(() => {
      if (room.value?.rights.value !== undefined) sendRefused.value = null;
    }),
    listen(),
    announce(),
    sayFlags(),
    measure(),
  ];

  function cue(which: Cue): void {
    if (prefs.prefs.peek().cues) deps.playCue(which);
  }

  /** Plays the sound of others, each as loud as one likes. */
  function listen(): () => void {
    let listening: Listening | undefined;
    let playing = new Set<string>();
    return effect(() => {
      const { volume, speakerId } = prefs.prefs.value;
      const now = new Set<string>();
      for (const { producerId, source, userId, track } of remotes.value.values()) {
        if (track === undefined || (source !== "audio" && source !== "screen-audio")) continue;
        listening ??= deps.createListening();
        now.add(producerId);
        listening.play(producerId, track, (volume / 100) * (prefs.volumeOf(userId).value / 100));
      }
      listening?.setSpeaker(speakerId);
      for (const producerId of playing) if (!now.has(producerId)) listening?.stop(producerId);
      playing = now;
      if (state.value.kind === "idle") {
        listening?.close();
        listening = undefined;
      }
    });
  }

  /** Sounds for who comes and goes, oneself included. */
  function announce(): () => void {
    let before: { readonly kind: string; readonly ids: ReadonlySet<string> } = { kind: "idle", ids: new Set() };
    return effect(() => {
      const { kind } = state.value;
      const ids = new Set(members.value.map(({ joinId }) => joinId as string));
      const { kind: was, ids: had } = before;
      before = { kind, ids };
      if (kind === "joined" && was === "joining") cue("join");
      else if (kind === "reconnecting" && was === "joined") cue("lost");
      else if (kind === "idle" && was !== "idle") cue("leave");
      else if (kind === "joined" && was === "joined") {
        if ([...ids].some((id) => !had.has(id))) cue("someoneJoins");
        else if ([...had].some((id) => !ids.has(id))) cue("someoneLeaves");
      }
    });
  }

  /** Tells the others what one does, whenever it changes. */
  function sayFlags(): () => void {
    let said = "";
    const again = signal(0);
    let cancel = (): void => undefined;
    const stop = effect(() => {
      void again.value;
      const flags = {
        muted: own.silent.value,
        deafened: own.deafened.value,
        camera: own.camera.value !== null,
        screenSharing: own.screen.value !== null,
      };
      const joinId = state.value.kind === "joined" ? member.value?.joinId : undefined;
      const saying = JSON.stringify([joinId, flags]);
      if (joinId === undefined || saying === said) return;
      said = saying;
      cancel();
      line.say(flags).catch((error: unknown) => {
        if (said !== saying) return;
        said = "";
        const { code, retry, retryAfterMs } = asApiError(error);
        if (retry) cancel = clock.after(retryAfterMs ?? SAY_AGAIN_MS, () => (again.value += 1));
        if (code !== "forbidden") return;
        sendRefused.value = "forbidden";
        if (flags.camera) void own.setCamera(false);
        if (flags.screenSharing) void own.setScreen(false);
      });
    });
    return () => {
      stop();
      cancel();
    };
  }

  function measure(): () => void {
    let cancel: (() => void) | undefined;
    const stop = effect(() => {
      const here = room.value;
      cancel?.();
      quality.value = null;
      if (here === null) return;
      const meter = createQualityMeter();
      const look = (): void => {
        here
          .measure()
          .then(({ reports, tracks }) => {
            if (untracked(() => room.value) === here && reports.length > 0) quality.value = meter(reports, tracks);
          })
          .catch(() => undefined);
        cancel = clock.after(MEASURE_EVERY_MS, look);
      };
      look();
    });
    return () => {
      stop();
      cancel?.();
    };
  }

  // The microphone is open as long as one is somewhere.
  let isOpen = false;
  stops.push(
    effect(() => {
      const wants = state.value.kind !== "idle";
      if (wants === isOpen) return;
      isOpen = wants;
      untracked(() => {
        if (wants) void own.start();
        else own.stop();
      });
    }),
  );

  return {
    state,
    crypto: session.crypto,
    keyed: session.keyed,
    own,
    remotes,
    speaking,
    quality,
    sendRefused,
    member,
    watch: (producerId, widthPx, apart) => room.peek()?.watch(producerId, widthPx, apart) ?? (() => undefined),
    join(where) {
      sendRefused.value = null;
      void session.join(where);
    },
    leave: session.leave,
    close() {
      session.leave();
      for (const stop of stops) stop();
      own.close();
    },
  };
}
