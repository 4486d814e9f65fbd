/**
 * The file of a backup: entries of a tar, compressed by gzip, encrypted by age with a passphrase (scrypt, ChaCha20-Poly1305 in chunks of
 * 64 KiB, each authenticated and the last one marked: age-encryption.org/v1). `age -d backup.age | tar xz` opens it without LesCopains.
 */
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { Decrypter, Encrypter } from "age-encryption";
import { extract, pack } from "tar-stream";
import { OperatorError } from "../operator-error.ts";

/** scrypt with N = 2^17, r = 8: 128 MB and half a second for each guess. */
const strongLogN = 17;
/** What is more than twice what is ever written into one entry is no backup of ours. */
const entryMaxBytes = 64 * 1024 * 1024;

/** Adds an entry; resolves when there is room for the next one. */
export type Add = (name: string, bytes: Buffer) => Promise<void>;

export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Writes an archive to `path`, which must not exist: `fill` adds the entries. It grows beside it as `<path>.part` and takes its name when it
 * is whole and on the disk. Resolves with its size in bytes. `scryptLogN`: what a guess of the passphrase costs.
 */
export async function writeArchive(
  path: string,
  passphrase: string,
  fill: (add: Add) => Promise<void>,
  scryptLogN: number = strongLogN,
): Promise<number> {
  const draft = `${path}.part`;
  const handle = await open(draft, "wx", 0o600);
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(scryptLogN);
  encrypter.setPassphrase(passphrase);
  const tar = pack();
  const zipped = createGzip({ level: 6 });
  const written = (async () => {
    const plain = Readable.toWeb(zipped) as unknown as globalThis.ReadableStream<Uint8Array>;
    const encrypted = await encrypter.encrypt(plain);
    const file = handle.createWriteStream({ flush: true });
    await pipeline(Readable.fromWeb(encrypted as unknown as ReadableStream), file);
    return file.bytesWritten;
  })();
  const add: Add = (name, bytes) =>
    new Promise((resolve, reject) => {
      const entry = tar.entry({ name, size: bytes.length, mode: 0o600 }, (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      );
      entry.end(bytes);
    });
  const filled = (async () => {
    await fill(add);
    tar.finalize();
  })();
  try {
    // Whichever fails first stops the others.
    const [bytes] = await Promise.all([written, pipeline(tar, zipped), filled]);
    await rename(draft, path);
    await syncFolder(dirname(path));
    return bytes;
  } catch (error) {
    tar.destroy();
    zipped.destroy();
    await Promise.allSettled([written, filled]);
    await handle.close();
    await rm(draft, { force: true });
    throw error;
  }
}

/** A rename is on the disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The entries of an archive in their order. Throws an OperatorError: no such file, no backup, another passphrase, damaged or cut short. */
export async function* readArchive(path: string, passphrase: string): AsyncGenerator<Entry> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const file = createReadStream(path);
  let plain: globalThis.ReadableStream<Uint8Array>;
  try {
    plain = await decrypter.decrypt(Readable.toWeb(file) as unknown as globalThis.ReadableStream<Uint8Array>);
  } catch (cause) {
    file.destroy();
    throw new OperatorError(refusalOf(path, cause), { cause });
  }
  const entries = extract();
  const read = pipeline(Readable.fromWeb(plain as unknown as ReadableStream), createGunzip(), entries);
  // Its failure is told where the entries are waited for.
  read.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const { name, size } = entry.header;
      if (size > entryMaxBytes) throw new Error(`${name} is too large`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
      yield { name, bytes: Buffer.concat(chunks) };
    }
    await read;
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError(`${path} is damaged or cut short (${reason}): use another backup`, { cause });
  } finally {
    entries.destroy();
    file.destroy();
  }
}

function refusalOf(path: string, error: unknown): string {
  if (error instanceof Error && "code" in error) return `${path} cannot be read (${String(error.code)})`;
  const message = error instanceof Error ? error.message : String(error);
  if (/no identity matched/.test(message)) return `The passphrase does not open ${path}: use the one it was made with`;
  return `${path} is no backup of LesCopains, or damaged (${message})`;
}
