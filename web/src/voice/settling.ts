/**
 * Brings about what is wished for, step by step, never two steps at once: whatever is wished meanwhile is looked at after the step. So it does
 * not matter in which order wishes and answers come.
 *
 * `step` compares wish and reality, does one thing, and answers whether there was something to do. One that throws ends it until the next call; a call that came during that step is one.
 */
export function createSettling(step: () => Promise<boolean>, failed: (error: unknown) => void): () => void {
  let running = false;
  let again = false;
  async function run(): Promise<void> {
    running = true;
    do {
      again = false;
      try {
        while (await step());
      } catch (error) {
        failed(error);
      }
    } while (again);
    running = false;
  }
  return () => {
    if (running) again = true;
    else void run();
  };
}
