import { signal } from "@preact/signals";
import { X } from "lucide";
import { IconButton } from "./button.tsx";
import "./notice.css";

interface Toast {
  readonly id: number;
  readonly text: string;
}

const toasts = signal<readonly Toast[]>([]);
/** Long enough to read two short sentences (WCAG asks for no less than 5 s). */
const STAYS_MS = 7_000;
let made = 0;

function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id);
}

/** Says something that passes: nothing that must be acted upon, no error of a form (those stand in the form). */
export function say(text: string): void {
  const id = (made += 1);
  toasts.value = [...toasts.peek().filter((toast) => toast.text !== text), { id, text }].slice(-3);
  setTimeout(() => dismiss(id), STAYS_MS);
}

/** Where passing notices appear; mounted once. */
export function Toasts({ closeLabel }: { readonly closeLabel: string }) {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div class="toast" key={toast.id}>
          <span>{toast.text}</span>
          <IconButton icon={X} label={closeLabel} onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}
