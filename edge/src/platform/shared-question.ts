/**
 * Asks at most once in `maxAgeMs`, however many want to know: who asks meanwhile gets the same answer, which is never to a question older than
 * that. A failure is an answer too. Within one actor, where promises may be shared between requests.
 *
 * @param now milliseconds
 */
export function sharedQuestion<T>(ask: () => Promise<T>, maxAgeMs: number, now: () => number): () => Promise<T> {
  let last: { readonly askedMs: number; readonly answer: Promise<T>; isOpen: boolean } | undefined;
  return () => {
    if (last === undefined || (!last.isOpen && now() - last.askedMs >= maxAgeMs)) {
      const question = { askedMs: now(), answer: ask(), isOpen: true };
      const end = (): void => {
        question.isOpen = false;
      };
      question.answer.then(end, end);
      last = question;
    }
    return last.answer;
  };
}
