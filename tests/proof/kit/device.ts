import type { KeysAnswer, KeysQuestion, KeysRequest } from "../../../web/src/keys/port.ts";
import type { Page, Worker } from "playwright-core";

/** A page has another one, which beats. */
const isKeys = (worker: Worker): boolean => /\/worker-[^/]*\.js$/.test(worker.url());

/** The worker of a page that holds the keys. */
export async function keysWorker(page: Page): Promise<Worker> {
  return page.workers().find(isKeys) ?? (await page.waitForEvent("worker", isKeys));
}

/**
 * Asks the device of a page, in the worker that holds the keys, as the page would: for what has no button yet, and to read all that it
 * has at once.
 */
export async function askDevice<N extends KeysRequest>(
  page: Page,
  name: N,
  question: KeysQuestion<N>,
): Promise<KeysAnswer<N>> {
  const worker = await keysWorker(page);
  const said = await worker.evaluate(
    async (asked) =>
      await new Promise<{ readonly answer?: unknown; readonly refusal?: unknown }>((resolve) => {
        const id = -Math.floor(Math.random() * 1e9) - 1;
        const toPage = globalThis.postMessage;
        globalThis.postMessage = ((message: { id: number }, ...rest: never[]) => {
          if (message.id !== id) {
            toPage(message, ...rest);
            return;
          }
          globalThis.postMessage = toPage;
          resolve(message as never);
        }) as never;
        dispatchEvent(new MessageEvent("message", { data: { kind: "ask", id, name: asked[0], question: asked[1] } }));
      }),
    [name, question as unknown] as const,
  );
  if (said.refusal !== undefined) throw new Error(`the device refused ${name}: ${JSON.stringify(said.refusal)}`);
  return said.answer as KeysAnswer<N>;
}
