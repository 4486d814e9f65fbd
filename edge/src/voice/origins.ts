import type { Env } from "../platform/env.ts";
import { originsIn } from "../platform/origins.ts";

type VoiceSettings = Pick<Env, "VOICE_ORIGINS">;

/** Origins of voice nodes that stand elsewhere: VOICE_ORIGINS. Throws on anything that is no origin. */
export function voiceOrigins({ VOICE_ORIGINS }: VoiceSettings): readonly string[] {
  return originsIn("VOICE_ORIGINS", VOICE_ORIGINS);
}

/** Whether pages may connect to a voice node that says this of itself: `""`, `/path` (both at the edge's own address) or `https://…`. */
export function mayReachVoice(address: string, settings: VoiceSettings): boolean {
  if (address === "" || address.startsWith("/")) return true;
  return URL.canParse(address) && voiceOrigins(settings).includes(new URL(address).origin);
}
