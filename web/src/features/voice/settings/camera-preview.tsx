import { useSignal } from "@preact/signals";
import { Video, VideoOff } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { useTaskWith } from "../../../app/task.ts";
import { voicePrefs } from "../../../app/voice-prefs.ts";
import { Button } from "../../../ui/button.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { askCamera, stopStream } from "../../../voice/devices.ts";
import { asMediaError } from "../../../voice/media-refusal.ts";
import { mediaErrorText } from "../media-text.ts";
import { voiceSettingsWords } from "./words.ts";

/** The camera as it is set, shown to oneself alone. */
export function CameraPreview() {
  const words = voiceSettingsWords.value;
  const on = useSignal(false);
  const stream = useSignal<MediaStream | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  const task = useTaskWith((thrown) => asMediaError("camera", thrown));
  const { cameraId } = voicePrefs.prefs.value;

  useEffect(() => {
    if (!on.value) return undefined;
    let ended = false;
    void task.run(async () => {
      const asked = await askCamera(voicePrefs.prefs.peek());
      if (ended) stopStream(asked);
      else stream.value = asked;
    });
    return () => {
      ended = true;
      const shown = stream.peek();
      if (shown !== null) stopStream(shown);
      stream.value = null;
    };
  }, [on.value, cameraId]);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream.value;
  }, [stream.value]);

  const refusal = task.error.value;
  const text = refusal === null ? undefined : mediaErrorText(refusal);
  const shown = stream.value !== null;
  return (
    <div class="trial">
      {text !== undefined && <Notice kind="danger">{text}</Notice>}
      {shown && <video ref={video} class="camera-preview" aria-label={words.previewLabel} autoplay muted playsInline />}
      <Button icon={shown ? VideoOff : Video} busy={task.busy.value} onClick={() => (on.value = !shown)}>
        {shown ? words.previewEnd : words.preview}
      </Button>
    </div>
  );
}
