import { Video, VideoOff } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { voicePrefs } from "../../../app/voice-prefs.ts";
import { Button } from "../../../ui/button.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { askCamera, stopStream } from "../../../voice/devices.ts";
import { mediaErrorText } from "../media-text.ts";
import { useTrial } from "./trial.ts";
import { voiceSettingsWords } from "./words.ts";

/** The camera as it is set, shown to oneself alone. */
export function CameraPreview() {
  const words = voiceSettingsWords.value;
  const { cameraId } = voicePrefs.prefs.value;
  const { on, lent, busy, error } = useTrial({
    wish: "camera",
    open: () => askCamera(voicePrefs.prefs.peek()),
    close: stopStream,
    how: cameraId,
  });
  const stream = lent.value;
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
  }, [stream]);

  const refusal = error.value;
  const text = refusal === null ? undefined : mediaErrorText(refusal);
  const shown = stream !== null;
  return (
    <div class="trial">
      {text !== undefined && <Notice kind="danger">{text}</Notice>}
      {shown && <video ref={video} class="camera-preview" aria-label={words.previewLabel} autoplay muted playsInline />}
      <Button icon={shown ? VideoOff : Video} busy={busy.value} onClick={() => (on.value = !shown)}>
        {shown ? words.previewEnd : words.preview}
      </Button>
    </div>
  );
}
