import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Voice } from "../../voice/voice.ts";

interface StreamVideoProps {
  readonly track: MediaStreamTrack | undefined;
  readonly mirrored?: boolean;
  readonly whole?: boolean;
}

/** A moving picture without sound, which has a path of its own. A decoration: who or what it is stands beside it. */
function StreamVideo({ track, mirrored = false, whole = false }: StreamVideoProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (video === null) return undefined;
    video.srcObject = track === undefined ? null : new MediaStream([track]);
    // Taken out of the page, as into another window, a browser stops it.
    video.play().catch(() => undefined);
    return () => (video.srcObject = null);
  }, [track]);
  return (
    <video
      ref={ref}
      class="tile-video"
      data-mirrored={mirrored}
      data-whole={whole}
      muted
      autoplay
      playsInline
      aria-hidden="true"
    />
  );
}

interface RemoteVideoProps {
  readonly voice: Voice;
  readonly producerId: string;
  readonly whole: boolean;
  /** In a window of its own, which is seen though the page may not be. */
  readonly apart: boolean;
}

/** What someone else sends. It is received while this stands somewhere, as large as it is shown. */
export function RemoteVideo({ voice, producerId, whole, apart }: RemoteVideoProps) {
  const box = useRef<HTMLSpanElement>(null);
  const remote = voice.remotes.value.get(producerId);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let stop = (): void => undefined;
    let shown = 0;
    const watch = new ResizeObserver(([entry]) => {
      const width = Math.round((entry?.contentRect.width ?? 0) * devicePixelRatio);
      // A pixel more is no reason to ask for other layers.
      if (Math.abs(width - shown) < 32 && shown > 0) return;
      const before = stop;
      shown = width;
      stop = width === 0 ? () => undefined : voice.watch(producerId, width, apart);
      before();
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      stop();
    };
  }, [voice, producerId, apart]);
  return (
    <span class="tile-box" ref={box}>
      <StreamVideo track={remote?.track} whole={whole} />
    </span>
  );
}

interface OwnVideoProps {
  readonly stream: ReadonlySignal<MediaStream | null>;
  readonly mirrored: boolean;
}

/** What one sends, as one is used to see oneself. */
export function OwnVideo({ stream, mirrored }: OwnVideoProps) {
  return <StreamVideo track={stream.value?.getVideoTracks()[0]} mirrored={mirrored} whole={!mirrored} />;
}
