import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import "./qr.css";

/** The light edge that readers need around a code. */
const QUIET_MODULES = 4;

interface QrCodeProps {
  /** Text, or bytes as they are. */
  readonly content: string | Uint8Array;
  /** What it is for, in words. */
  readonly label: string;
}

/** A QR code as one path, drawn here so that what it holds goes nowhere else; the library comes when it is needed. */
export function QrCode({ content, label }: QrCodeProps) {
  const drawing = useSignal<{ readonly side: number; readonly path: string } | "failed" | null>(null);
  useEffect(() => {
    let current = true;
    async function draw(): Promise<void> {
      try {
        const { encodeQR } = await import("qr");
        const rows =
          typeof content === "string"
            ? encodeQR(content, "raw", { border: QUIET_MODULES })
            : // The library takes text and makes bytes of it: ours are given instead.
              encodeQR("x".repeat(content.length), "raw", {
                border: QUIET_MODULES,
                encoding: "byte",
                textEncoder: () => content,
              });
        const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
        if (current) drawing.value = { side: rows.length, path };
      } catch {
        if (current) drawing.value = "failed";
      }
    }
    void draw();
    return () => {
      current = false;
    };
  }, [content]);
  // Without the drawing there is still what stands beside it: a key to type, digits to compare.
  if (drawing.value === "failed") return null;
  const side = drawing.value?.side ?? 1;
  return (
    <svg class="qr-code" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <path d={drawing.value?.path ?? ""} />
    </svg>
  );
}
