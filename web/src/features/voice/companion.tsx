import { effect, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { channelName } from "../../app/direct.ts";
import { voicePrefs } from "../../app/voice-prefs.ts";
import { say } from "../../ui/toasts.tsx";
import type { Voice } from "../../voice/voice.ts";
import type { VoiceProps } from "./dock.tsx";
import { voiceWords } from "./words.ts";

/** What goes with a call through all views: its keys, and words for whoever does not see it. */
export function VoiceCompanion({ voice }: VoiceProps) {
  useEffect(() => followKeys(voice), [voice]);
  useEffect(() => {
    // A page that goes takes its call along: said now, the others need not find out by themselves.
    addEventListener("pagehide", voice.leave);
    return () => removeEventListener("pagehide", voice.leave);
  }, [voice]);
  useEffect(
    () =>
      effect(() => {
        const lost = voice.own.unplugged.value;
        if (lost !== null) say(voiceWords.peek()[`unplugged_${lost.wish}`]);
      }),
    [voice],
  );
  return <Announcer voice={voice} />;
}

/** Where letters are letters. */
function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=range]), textarea, select"))
  );
}

/** The shortcuts of a call, and the key of push-to-talk. */
function followKeys(voice: Voice): () => void {
  const ending = new AbortController();
  const options = { signal: ending.signal };
  const { own } = voice;
  const isIn = (): boolean => voice.state.peek().kind !== "idle";
  addEventListener(
    "keydown",
    (event) => {
      if (!isIn()) return;
      if ((event.ctrlKey || event.metaKey) && event.shiftKey && !event.altKey) {
        const acts: Readonly<Record<string, () => void>> = {
          KeyM: () => own.setMuted(!own.silent.peek()),
          KeyD: () => own.setDeafened(!own.deafened.peek()),
          KeyH: voice.leave,
        };
        const act = acts[event.code];
        if (act === undefined) return;
        event.preventDefault();
        if (!event.repeat) act();
        return;
      }
      const { activation, pushKey } = voicePrefs.prefs.peek();
      if (activation !== "push" || event.code !== pushKey || isWriting(event.target)) return;
      event.preventDefault();
      own.hold(true);
    },
    options,
  );
  addEventListener(
    "keyup",
    ({ code }) => {
      if (code === voicePrefs.prefs.peek().pushKey) own.hold(false);
    },
    options,
  );
  // A key that is let go elsewhere is never heard of.
  addEventListener("blur", () => own.hold(false), options);
  return () => ending.abort();
}

/** Says who comes and goes, and whether one is heard. */
function Announcer({ voice }: { readonly voice: Voice }) {
  const live = useLive();
  const words = voiceWords.value;
  const state = voice.state.value;
  const channelId = state.kind === "idle" ? undefined : state.channelId;
  const members = channelId === undefined ? [] : (live.voice.roster(channelId).value?.members ?? []);
  const here = members.map(({ userId }) => userId).filter((id) => id !== live.self.value.id);
  const last = useSignal<{ readonly kind: string; readonly ids: readonly string[] }>({ kind: "idle", ids: [] });
  const text = useSignal("");
  useEffect(() => {
    const before = last.peek();
    last.value = { kind: state.kind, ids: here };
    const nameOf = (id: (typeof here)[number]): string => live.person(id).peek()?.displayName ?? "…";
    if (state.kind === "joined" && before.kind !== "joined") {
      const channel = live.channel(state.channelId).peek();
      if (channel !== undefined) text.value = words.youAreIn({ name: channelName(channel, live.self.peek().id) });
    } else if (state.kind === "reconnecting") text.value = words.reconnecting;
    else if (state.kind === "idle" && before.kind !== "idle") text.value = words.youLeft;
    else if (state.kind === "joined") {
      const arrived = here.filter((id) => !before.ids.includes(id)).map((id) => words.arrived({ name: nameOf(id) }));
      const departed = before.ids
        .filter((id) => !here.some((one) => one === id))
        .map((id) => words.departed({ name: nameOf(id as (typeof here)[number]) }));
      if (arrived.length + departed.length > 0) text.value = [...arrived, ...departed].join(" ");
    }
  }, [state.kind, here.join()]);
  return (
    <div class="aside-text" role="status" aria-live="polite">
      {text.value}
    </div>
  );
}
