import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { openAttachment } from "@lescopains/e2ee/attachment/open";
import { sealAttachment } from "@lescopains/e2ee/attachment/seal";

/** Megabytes a second. */
export interface Throughput {
  readonly seal: number;
  readonly open: number;
}

const fileBytes = 32 * 1_024 * 1_024;
/** As a file is read from a disk, or comes from the network. */
const pieceBytes = 65_536;
const maxBytes = fileBytes;
const file: readonly Uint8Array[] = Array.from({ length: fileBytes / pieceBytes }, () => randomBytes(pieceBytes));

async function* read(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

async function megabytesPerSecond(task: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await task();
  return fileBytes / 1_000 / (performance.now() - beganMs);
}

/** The engine's cipher of files: chunks of AES-256-GCM by WebCrypto, and the SHA-256 of the whole. */
export async function engineAttachments(): Promise<Throughput> {
  const platform = {
    random: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    subtle: crypto.subtle,
  };
  const sealed: Uint8Array[] = [];
  const sealing = sealAttachment(platform, read(file), { maxBytes });
  const seal = await megabytesPerSecond(async () => {
    for await (const piece of sealing.ciphertext) sealed.push(piece);
  });
  const secret = sealing.secret();
  if (secret === null) throw new Error("the file was not sealed");
  const open = await megabytesPerSecond(async () => {
    let openedBytes = 0;
    for await (const piece of openAttachment(platform, read(sealed), secret, { maxBytes })) openedBytes += piece.length;
    if (openedBytes !== fileBytes) throw new Error("the file was not opened");
  });
  return { seal, open };
}

/** node:crypto's AES-256-GCM over the same file, in one piece and without any digest of it: as fast as this machine can. */
export async function nodeAttachments(): Promise<Throughput> {
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed: Uint8Array[] = [];
  const seal = await megabytesPerSecond(async () => {
    for await (const piece of read(file)) sealed.push(cipher.update(piece));
    cipher.final();
  });
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAuthTag(cipher.getAuthTag());
  const open = await megabytesPerSecond(async () => {
    for await (const piece of read(sealed)) decipher.update(piece);
    decipher.final();
  });
  return { seal, open };
}
