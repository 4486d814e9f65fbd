import { say } from "../ui/toasts.tsx";
import { appWords } from "./words.ts";

/** Puts text on the clipboard and says so; where the browser refuses (no TLS, no permission), nothing is claimed. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    say(appWords.value.copied);
    return true;
  } catch {
    return false;
  }
}
