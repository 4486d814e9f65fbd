/** What browsers have before TypeScript's libraries do. */
interface WithSink extends AudioContext {
  readonly sinkId: string;
  setSinkId(id: string): Promise<void>;
}

interface Choice {
  wished: string;
  settled: Promise<void>;
}

const choices = new WeakMap<AudioContext, Choice>();

/** Plays on this loudspeaker from now on; one that is gone, and a browser that offers no choice, leave it to the system. */
export async function useSpeaker(context: AudioContext, id: string): Promise<void> {
  const sink = context as WithSink;
  if ((sink.setSinkId as unknown) === undefined) return;
  const choice = choices.get(context) ?? { wished: "", settled: Promise.resolve() };
  choices.set(context, choice);
  choice.wished = id;
  // One after the other: a browser takes its time, and what was chosen meanwhile is what counts.
  choice.settled = choice.settled.then(async () => {
    if (choice.wished !== id || sink.sinkId === id) return;
    await sink.setSinkId(id).catch(() => sink.setSinkId("").catch(() => undefined));
  });
  await choice.settled;
}
