import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/notice.tsx";
import "./scanner.css";
import { scannerWords } from "./scanner-words.ts";

/** What a QR code holds: its bytes, and the same read as text. */
export interface ScannedCode {
  readonly bytes: Uint8Array;
  readonly text: string;
}

interface ScannerProps {
  /** A code was read; the camera goes on until the component leaves the page. The same code is told once. */
  readonly onCode: (code: ScannedCode) => void;
}

/** Pictures are looked at this often, and at this side: enough to read a code, without holding up the page. */
const EVERY_MS = 140;
const SIDE_PX = 480;

type State = "asking" | "looking" | "denied" | "none";

/** Reads QR codes with the camera. The pictures are looked at here and go nowhere; the library comes when it is needed. */
export function Scanner({ onCode }: ScannerProps) {
  const words = scannerWords.value;
  const video = useRef<HTMLVideoElement>(null);
  const state = useSignal<State>("asking");
  const attempt = useSignal(0);
  const latest = useRef(onCode);
  latest.current = onCode;

  useEffect(() => {
    const ending = new AbortController();
    state.value = "asking";
    look(video.current, ending.signal, {
      started: () => (state.value = "looking"),
      found: (code) => latest.current(code),
    }).catch((thrown: unknown) => {
      if (ending.signal.aborted) return;
      state.value = thrown instanceof DOMException && thrown.name === "NotAllowedError" ? "denied" : "none";
    });
    return () => ending.abort();
  }, [attempt.value]);

  const failed = state.value === "denied" || state.value === "none";
  return (
    <div class="scanner">
      <div class="scanner-picture" hidden={failed}>
        <video ref={video} playsInline muted aria-label={words.picture} />
      </div>
      {failed ? (
        <>
          <Notice kind="caution">{words[state.value]}</Notice>
          <Button onClick={() => (attempt.value += 1)}>{words.again}</Button>
        </>
      ) : (
        <p role="status">{words[state.value]}</p>
      )}
    </div>
  );
}

interface Sight {
  readonly started: () => void;
  readonly found: (code: ScannedCode) => void;
}

/** Opens the camera and looks for codes until `signal` ends it. @throws DOMException when there is no camera to be had. */
async function look(video: HTMLVideoElement | null, signal: AbortSignal, { started, found }: Sight): Promise<void> {
  // Absent where the page did not come by TLS.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (video === null || devices === undefined) throw new DOMException("no camera", "NotFoundError");
  const [{ default: jsQr }, stream] = await Promise.all([
    import("jsqr"),
    devices.getUserMedia({ video: { facingMode: "environment" } }),
  ]);
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  if (signal.aborted) {
    stop();
    return;
  }
  signal.addEventListener("abort", stop);
  video.srcObject = stream;
  await video.play();
  started();

  const canvas = document.createElement("canvas");
  canvas.width = SIDE_PX;
  canvas.height = SIDE_PX;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new DOMException("no canvas", "NotSupportedError");
  let last = "";
  while (!signal.aborted) {
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.min(width, height);
    if (side > 0) {
      context.drawImage(video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE_PX, SIDE_PX);
      const picture = context.getImageData(0, 0, SIDE_PX, SIDE_PX);
      const code = jsQr(picture.data, SIDE_PX, SIDE_PX, { inversionAttempts: "dontInvert" });
      const key = code === null ? "" : code.binaryData.join();
      if (code !== null && key !== last) {
        last = key;
        found({ bytes: Uint8Array.from(code.binaryData), text: code.data });
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, EVERY_MS);
    });
  }
}
