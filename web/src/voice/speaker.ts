/** What browsers have before TypeScript's libraries do. */
interface WithSink extends AudioContext {
  readonly sinkId: string;
  setSinkId(id: string): Promise<void>;
}

/** Plays on this loudspeaker from now on; one that is gone, and a browser that offers no choice, leave it to the system. */
export async function useSpeaker(context: AudioContext, id: string): Promise<void> {
  const { sinkId, setSinkId } = context as Partial<WithSink>;
  if (setSinkId === undefined || sinkId === id) return;
  await setSinkId.call(context, id).catch(() => setSinkId.call(context, "").catch(() => undefined));
}
