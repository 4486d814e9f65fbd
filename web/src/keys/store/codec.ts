import * as v from "valibot";

/** How a value is written before it is sealed, and read after. Reading anything else than what was written throws. */
export interface Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
  /** Overwrites the secrets of a value that `after`, which is stored now, does not share. */
  readonly retire?: (before: T, after: T) => void;
}

export function jsonCodec<S extends v.GenericSchema>(schema: S): Codec<v.InferOutput<S>> {
  return {
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => v.parse(schema, JSON.parse(new TextDecoder().decode(bytes))),
  };
}

/** Bytes as they are, for what must not become a string that nobody can overwrite. */
export const bytesCodec: Codec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes };
