import { Ellipsis, Maximize, SignalLow } from "lucide";
import { useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { tintOf } from "../../ui/tint.ts";
import { gradeOf } from "../../voice/quality.ts";
import type { Voice } from "../../voice/voice.ts";
import { Marks } from "./marks.tsx";
import { stateWords, type Tile } from "./people.ts";
import { OwnVideo, RemoteVideo } from "./video.tsx";
import { voiceWords } from "./words.ts";

interface TileViewProps {
  readonly voice: Voice;
  readonly tile: Tile;
  readonly large: boolean;
  readonly apart: boolean;
  readonly onEnlarge: () => void;
  /** Opens what one may do about the person. */
  readonly onOptions: (() => void) | undefined;
}

/** One person, or one screen. Pressed, it becomes large, or small again. */
export function TileView({ voice, tile, large, apart, onEnlarge, onOptions }: TileViewProps) {
  const live = useLive();
  const words = voiceWords.value;
  const element = useRef<HTMLLIElement>(null);
  const { member, kind, producerId } = tile;
  const isSelf = member.userId === live.self.value.id;
  const person = live.person(member.userId).value?.displayName ?? "…";
  const isScreen = kind === "screen";
  const name = isScreen ? (isSelf ? words.yourScreen : words.screenOf({ name: person })) : person;
  const speaking = !isScreen && voice.speaking.value.has(member.userId);
  const says = isScreen ? "" : stateWords(member, speaking);
  const about = [isSelf && !isScreen ? words.you : "", says].filter((text) => text !== "").join(", ");
  const ownStream = isScreen ? voice.own.screen : voice.own.camera;
  const shows = isSelf ? ownStream.value !== null : producerId !== undefined;
  return (
    <li
      class="tile"
      ref={element}
      data-speaking={speaking}
      data-large={large}
      data-kind={kind}
      style={{ "--tint": tintOf(member.userId) }}
    >
      {/* A picture covers it as soon as there is one. */}
      {!(isScreen && shows) && <Avatar id={member.userId} name={person} side={large ? 128 : 80} />}
      {shows && isSelf && <OwnVideo stream={ownStream} mirrored={!isScreen} />}
      {shows && !isSelf && producerId !== undefined && (
        <RemoteVideo key={producerId} voice={voice} producerId={producerId} whole={isScreen} apart={apart} />
      )}
      <button
        type="button"
        class="tile-press"
        data-roving=""
        aria-pressed={large}
        aria-label={`${large ? words.shrink({ name }) : words.enlarge({ name })}${about === "" ? "" : `, ${about}`}`}
        onClick={onEnlarge}
      />
      <p class="tile-name" aria-hidden="true">
        <span class="one-line">{name}</span>
        {!isScreen && <Marks member={{ ...member, camera: false, screenSharing: false }} size={15} />}
        {!isScreen && <WeakMark voice={voice} userId={member.userId} />}
      </p>
      <span class="tile-tools">
        {shows && !apart && (
          <IconButton
            icon={Maximize}
            label={words.fullScreen({ name })}
            onClick={() => void element.current?.requestFullscreen().catch(() => undefined)}
          />
        )}
        {onOptions !== undefined && (
          <IconButton icon={Ellipsis} label={words.optionsFor({ name: person })} onClick={onOptions} />
        )}
      </span>
    </li>
  );
}

/** Shown when a person's connection hurts; all is well without it. */
function WeakMark({ voice, userId }: { readonly voice: Voice; readonly userId: string }) {
  const quality = voice.quality.value;
  if (quality === null) return null;
  const losses = [...voice.remotes.value.values()]
    .filter((remote) => remote.userId === userId)
    .map(({ producerId }) => quality.tracks.get(producerId)?.loss ?? 0);
  const loss = Math.max(0, ...losses);
  return gradeOf({ loss }) === "good" ? null : <Icon node={SignalLow} size={15} />;
}
