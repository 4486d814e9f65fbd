import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { useRoving } from "../../ui/roving.ts";
import type { Voice } from "../../voice/voice.ts";
import { useLanding } from "./landing.ts";
import { PersonDialog } from "./person-dialog.tsx";
import { largeTile, tilesOf, tileWidth, withSelf } from "./people.ts";
import "./stage.css";
import { TileView } from "./tile.tsx";
import { voiceWords } from "./words.ts";

interface StageProps {
  readonly voice: Voice;
  readonly channelId: ChannelId;
  /** Who speaks is shown large. */
  readonly speakerView: boolean;
  /** In a window of its own. */
  readonly apart?: boolean;
}

/** Everyone in the call, and what they show. */
export function Stage({ voice, channelId, speakerView, apart = false }: StageProps) {
  const live = useLive();
  const selfId = live.self.value.id;
  const roster = live.voice.roster(channelId).value;
  const { silent, deafened, camera, screen } = voice.own;
  const members = withSelf(roster?.members ?? [], selfId, {
    muted: silent.value,
    deafened: deafened.value,
    camera: camera.value !== null,
    screenSharing: screen.value !== null,
  });
  const tiles = tilesOf(members, voice.remotes.value, selfId);
  const chosen = useSignal<string | null>(null);
  const dismissed = useSignal<ReadonlySet<string>>(new Set());
  const asking = useSignal<UserId | null>(null);
  const speakerId = useLastSpeaker(voice, selfId);
  const large = largeTile(
    tiles,
    { chosen: chosen.value, dismissed: dismissed.value, speakerId: speakerView ? speakerId : null },
    selfId,
  );
  const list = useRef<HTMLUListElement>(null);
  useRoving(list, "horizontal");
  const width = useTileWidth(list, tiles.length);
  const asked = roster?.members.find(({ userId }) => userId === asking.value);
  useLanding(".tiles .tile-press", asked === undefined);
  return (
    <div class="stage" data-large={large !== undefined}>
      <ul class="tiles" ref={list} aria-label={voiceWords.value.people} style={{ "--tile": `${width}px` }}>
        {tiles.map((tile) => {
          const isLarge = tile === large;
          return (
            <TileView
              key={tile.key}
              voice={voice}
              tile={tile}
              large={isLarge}
              apart={apart}
              onEnlarge={() => {
                // A screen that came large by itself stays small once it was made so.
                if (isLarge) dismissed.value = new Set([...dismissed.value, tile.key]);
                chosen.value = isLarge ? null : tile.key;
              }}
              onOptions={tile.member.userId === selfId || apart ? undefined : () => (asking.value = tile.member.userId)}
            />
          );
        })}
      </ul>
      {asked !== undefined && (
        <PersonDialog channelId={channelId} member={asked} onClose={() => (asking.value = null)} />
      )}
    </div>
  );
}

/** Who spoke last, oneself aside: a pause does not take someone off the stage. */
function useLastSpeaker(voice: Voice, selfId: UserId): UserId | null {
  const last = useSignal<UserId | null>(null);
  const speaking = useComputed(() => [...voice.speaking.value].filter((id) => id !== selfId)).value;
  useEffect(() => {
    const [first] = speaking;
    if (first !== undefined && (last.value === null || !speaking.includes(last.value))) last.value = first;
  }, [speaking]);
  return last.value;
}

/** Between tiles; stands in stage.css too. */
const GAP_PX = 8;

/** How wide tiles are at most, whatever shape the stage has. */
function useTileWidth(list: { readonly current: HTMLElement | null }, count: number): number {
  const [box, setBox] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setBox({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return tileWidth(Math.max(1, count), box.width, box.height, GAP_PX);
}
