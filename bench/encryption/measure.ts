/** One end of a conversation, whoever implements it. `Bundle` and `Message` are its own. */
export interface Side<Bundle, Message> {
  /** New prekeys. */
  bundle(): Promise<Bundle>;
  /** Begins a session from the other side's bundle. */
  begin(bundle: Bundle): Promise<void>;
  encrypt(plaintext: Uint8Array): Promise<Message>;
  decrypt(message: Message): Promise<void>;
}

/** Milliseconds, one number for each time that something was done. */
export interface Samples {
  /** From a bundle to a session. */
  readonly begin: number[];
  /** The message that makes the session on the other side. */
  readonly answer: number[];
  readonly encrypt: number[];
  readonly decrypt: number[];
  /** 500 messages that waited, read one after the other. */
  readonly waiting: number[];
}

const beginnings = 40;
const warmUp = 100;
const messages = 900;
const waitingMessages = 500;
/** What a chat message comes to. */
const plaintextBytes = 200;

async function timed<T>(into: number[], action: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await action();
  into.push(performance.now() - startedMs);
  return result;
}

/**
 * Two sides begin sessions and then talk, each writing now and then, through about ten epochs of the post-quantum ratchet.
 * Runs wherever there is `performance`: in Node and in a worker of a browser.
 */
export async function measure<Bundle, Message>(
  makePair: () => Promise<readonly [Side<Bundle, Message>, Side<Bundle, Message>]>,
): Promise<Samples> {
  const samples: Samples = { begin: [], answer: [], encrypt: [], decrypt: [], waiting: [] };
  const plaintext = new Uint8Array(plaintextBytes).fill(0x61);
  const unused: number[] = [];
  for (let index = -2; index < beginnings; index += 1) {
    const [a, b] = await makePair();
    const bundle = await b.bundle();
    await timed(index < 0 ? unused : samples.begin, () => a.begin(bundle));
    const message = await a.encrypt(plaintext);
    await timed(index < 0 ? unused : samples.answer, () => b.decrypt(message));
  }
  const [a, b] = await makePair();
  await a.begin(await b.bundle());
  await b.decrypt(await a.encrypt(plaintext));
  let writer = 1;
  let random = 1;
  for (let index = -warmUp; index < messages; index += 1) {
    const [from, to] = writer === 0 ? [a, b] : [b, a];
    const message = await timed(index < 0 ? unused : samples.encrypt, () => from.encrypt(plaintext));
    await timed(index < 0 ? unused : samples.decrypt, () => to.decrypt(message));
    random = (random * 48_271) % 0x7fff_ffff;
    if (random % 10 < 6) writer = 1 - writer;
  }
  const waiting: Message[] = [];
  for (let index = 0; index < waitingMessages; index += 1) waiting.push(await a.encrypt(plaintext));
  await timed(samples.waiting, async () => {
    for (const message of waiting) await b.decrypt(message);
  });
  return samples;
}
