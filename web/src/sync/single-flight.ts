/** Runs one at a time; whoever asks while it runs makes it run once more. Answers when all of that is done. */
export function singleFlight(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  async function loop(): Promise<void> {
    try {
      do {
        again = false;
        await task();
      } while (again);
    } finally {
      // In the same breath as the last look at `again`: who asks after it starts anew.
      running = undefined;
    }
  }
  return () => {
    again = true;
    running ??= loop();
    return running;
  };
}
