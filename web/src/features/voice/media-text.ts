import type { MediaError } from "../../voice/media-refusal.ts";
import { voiceSettingsWords } from "./settings/words.ts";

/** Why a device could not be had, in plain words; nothing when its person changed their mind. */
export function mediaErrorText({ wish, refusal }: MediaError): string | undefined {
  if (refusal === "cancelled") return undefined;
  const words: Readonly<Record<string, unknown>> = voiceSettingsWords.value;
  const text = words[`${wish}_${refusal}`] ?? words[`${wish}_failed`];
  return typeof text === "string" ? text : undefined;
}
