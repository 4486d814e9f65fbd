import { ProtocolError } from "../errors.ts";

/**
 * The part of Protocol Buffers that Signal's messages use, by a table of fields: `{ name: uint32(1), other: bytes(2) }`.
 * Strict where the format is lax: groups, field number 0, varints beyond their type and lengths beyond the end are refused.
 * Unknown fields are skipped and of a field that comes twice the last one counts, as the format wants.
 */
export type Shape = Readonly<Record<string, Field>>;

type Kind = "uint32" | "uint64" | "bytes" | "list";

export interface Field<K extends Kind = Kind> {
  readonly number: number;
  readonly kind: K;
  /** Of a list: more entries are refused. */
  readonly max: number;
}

interface Values {
  readonly uint32: number;
  readonly uint64: number;
  readonly bytes: Uint8Array;
  readonly list: readonly Uint8Array[];
}

/** What a message of a shape holds. A list is never missing, only empty. */
export type Message<S extends Shape> = {
  readonly [Name in keyof S as S[Name]["kind"] extends "list" ? never : Name]?: Values[S[Name]["kind"]] | undefined;
} & {
  readonly [Name in keyof S as S[Name]["kind"] extends "list" ? Name : never]: Values[S[Name]["kind"]];
};

/** 0 … 2^32 − 1. */
export function uint32(number: number): Field<"uint32"> {
  return { number, kind: "uint32", max: 1 };
}

/** 0 … 2^53 − 1: larger values are refused, no date and no counter of ours reaches them. */
export function uint64(number: number): Field<"uint64"> {
  return { number, kind: "uint64", max: 1 };
}

/** Bytes, a string or a message inside. */
export function bytes(number: number): Field<"bytes"> {
  return { number, kind: "bytes", max: 1 };
}

/** At most `max` byte strings, in their order. */
export function list(number: number, max: number): Field<"list"> {
  return { number, kind: "list", max };
}

const varintWire = 0;
const fixed64Wire = 1;
const bytesWire = 2;
const fixed32Wire = 5;
const maxUint32 = 2 ** 32 - 1;
const maxVarintLength = 10;

function malformed(reason: string): ProtocolError {
  return new ProtocolError("invalid_message", `Malformed protobuf: ${reason}`);
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(input: Uint8Array) {
    this.#bytes = input;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A varint of any value; beyond 2^53 it is not exact, and whoever cares refuses it. */
  varint(): number {
    let value = 0;
    let weight = 1;
    for (let length = 1; length <= maxVarintLength; length += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed("it ends within a varint");
      this.#at += 1;
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return value;
      weight *= 0x80;
    }
    throw malformed("a varint is too long");
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw malformed("a field ends beyond the message");
    const from = this.#at;
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  skip(wire: number): void {
    if (wire === varintWire) this.varint();
    else if (wire === fixed64Wire) this.take(8);
    else if (wire === bytesWire) this.take(this.varint());
    else if (wire === fixed32Wire) this.take(4);
    else throw malformed(`wire type ${wire}`);
  }
}

/**
 * Reads a message. Byte strings are views of `input`: copy what outlives it. ProtocolError("invalid_message") for anything
 * that is not a message of this shape. Time and memory grow with the length of `input` alone.
 */
export function decodeProtobuf<const S extends Shape>(shape: S, input: Uint8Array): Message<S> {
  const names = new Map<number, string>();
  const values: Record<string, number | Uint8Array | Uint8Array[]> = {};
  for (const [name, field] of Object.entries(shape)) {
    names.set(field.number, name);
    if (field.kind === "list") values[name] = [];
  }
  const reader = new Reader(input);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag > maxUint32 || tag < 8) throw malformed("no such field number");
    const wire = tag & 7;
    const name = names.get(tag >>> 3);
    const field = name === undefined ? undefined : shape[name];
    if (name === undefined || field === undefined) {
      reader.skip(wire);
      continue;
    }
    if (field.kind === "uint32" || field.kind === "uint64") {
      if (wire !== varintWire) throw malformed(`${name} is no number`);
      const value = reader.varint();
      if (value > (field.kind === "uint32" ? maxUint32 : Number.MAX_SAFE_INTEGER)) {
        throw malformed(`${name} is too large`);
      }
      values[name] = value;
      continue;
    }
    if (wire !== bytesWire) throw malformed(`${name} has no length`);
    const value = reader.take(reader.varint());
    const entries = values[name];
    if (!Array.isArray(entries)) {
      values[name] = value;
      continue;
    }
    if (entries.length === field.max) throw malformed(`${name} has too many entries`);
    entries.push(value);
  }
  return values as Message<S>;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

class Writer {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    this.#byte(rest);
  }

  blob(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #byte(value: number): void {
    this.bytes[this.#at] = value;
    this.#at += 1;
  }
}

function sizeOf(field: Field, value: number | Uint8Array): number {
  const tag = varintLength(field.number * 8);
  return typeof value === "number" ? tag + varintLength(value) : tag + varintLength(value.length) + value.length;
}

/** Writes a message, fields in the order of the shape. A field that is undefined is left out, a zero is written. */
export function encodeProtobuf<const S extends Shape>(shape: S, message: Message<S>): Uint8Array {
  const source = message as Readonly<Record<string, number | Uint8Array | readonly Uint8Array[] | undefined>>;
  const written: [Field, number | Uint8Array][] = [];
  let length = 0;
  for (const [name, field] of Object.entries(shape)) {
    const value = source[name];
    if (value === undefined) continue;
    const entries = typeof value === "number" || value instanceof Uint8Array ? [value] : value;
    for (const entry of entries) {
      written.push([field, entry]);
      length += sizeOf(field, entry);
    }
  }
  const writer = new Writer(length);
  for (const [field, value] of written) {
    if (typeof value === "number") {
      writer.varint(field.number * 8 + varintWire);
      writer.varint(value);
    } else {
      writer.varint(field.number * 8 + bytesWire);
      writer.blob(value);
    }
  }
  return writer.bytes;
}
