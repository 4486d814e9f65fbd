/** A bytea as base64 text without line breaks (PostgreSQL breaks after 76 characters), null as null. `translate` takes ten times as long. */
export function base64(column: string): string {
  return `replace(encode(${column}, 'base64'), E'\\n', '')`;
}
