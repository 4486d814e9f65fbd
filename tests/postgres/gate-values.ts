/** JSON in which `Uint8Array`s survive, as `bytes:` and hexadecimal digits. These two also run in a worker, by their own text. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function replace(this: Record<string, unknown>, key) {
    const raw = this[key];
    if (!(raw instanceof Uint8Array)) return raw;
    return `bytes:${Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  });
}

/** What `toJson` was given. */
export function fromJson(json: string): unknown {
  return JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== "string" || !value.startsWith("bytes:")) return value;
    return Uint8Array.from(value.slice(6).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  });
}
