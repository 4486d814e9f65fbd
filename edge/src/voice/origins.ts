import type { Env } from "../platform/env.ts";

type VoiceSettings = Pick<Env, "VOICE_ORIGINS">;

const known = new Map<string, readonly string[]>();

/**
 * Origins of voice nodes that stand elsewhere: VOICE_ORIGINS, separated by commas. Throws on anything that is no origin: it would stand in a
 * header.
 */
export function voiceOrigins({ VOICE_ORIGINS = "" }: VoiceSettings): readonly string[] {
  const parsed = known.get(VOICE_ORIGINS);
  if (parsed !== undefined) return parsed;
  const origins = VOICE_ORIGINS.split(",").flatMap((entry) => entry.trim() || []);
  for (const origin of origins) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!/^https?:$/.test(url?.protocol ?? "") || url?.origin !== origin)
      throw new Error(`VOICE_ORIGINS: ${origin} is no origin, like https://voice.example.org`);
  }
  known.set(VOICE_ORIGINS, origins);
  return origins;
}

/** Whether pages may connect to a voice node that says this of itself: `""`, `/path` (both at the edge's own address) or `https://…`. */
export function mayReachVoice(address: string, settings: VoiceSettings): boolean {
  if (address === "" || address.startsWith("/")) return true;
  return URL.canParse(address) && voiceOrigins(settings).includes(new URL(address).origin);
}
