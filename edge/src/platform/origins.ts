const known = new Map<string, readonly string[]>();

/** A setting that is a list of origins, separated by commas. Throws on anything that is no origin: it would stand in a header. */
export function originsIn(name: string, setting: string | undefined): readonly string[] {
  const key = `${name}=${setting ?? ""}`;
  const parsed = known.get(key);
  if (parsed !== undefined) return parsed;
  const origins = (setting ?? "").split(",").flatMap((entry) => entry.trim() || []);
  for (const origin of origins) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!/^https?:$/.test(url?.protocol ?? "") || url?.origin !== origin)
      throw new Error(`${name}: ${origin} is no origin, like https://voice.example.org`);
  }
  known.set(key, origins);
  return origins;
}
