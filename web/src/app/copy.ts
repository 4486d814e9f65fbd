import { say } from "../ui/toasts.tsx";
import { appWords } from "./words.ts";

/**
 * Puts text on the clipboard and says so; where the browser refuses (no TLS, no permission), nothing is claimed, and the field that
 * shows the text has it selected for the hand to copy.
 */
export async function copyText(text: string, field?: HTMLInputElement | null): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(appWords.value.copied);
  } catch {
    field?.select();
  }
}
