/** What runs inside the browser to see how long things take. Each function is sent there as text: it uses nothing from outside. */

/** When something happened in the page; milliseconds since the navigation began. */
export interface PageTimes {
  /** The frame of the application stands. */
  readonly shellMs: number;
  /** The socket said `ready`. */
  readonly connectedMs: number;
  /** What was waited for is in the document. */
  readonly shownMs: number;
  /** The device told the server that it has taken everything in. */
  readonly takenMs: number;
  /** Of the main thread: longer than 50 ms, as the browser reports them. */
  readonly longTasks: readonly LongTask[];
}

export interface LongTask {
  readonly atMs: number;
  readonly ms: number;
  /** What ran, as far as the browser says. */
  readonly by: string;
}

export interface Wanted {
  readonly selector: string;
  readonly text: string;
  /** The device has something to take in. */
  readonly sealed: boolean;
  /** Told to the trace. */
  readonly mark: string;
}

declare global {
  /** The times, a second after the last of what was waited for. */
  var seen: () => PageTimes | undefined;
  /** Milliseconds in which the worker had something to read, write or seal under way. */
  var storingMs: () => number;
}

/** Runs before anything of the page. */
export function watchPage({ selector, text, sealed, mark }: Wanted): void {
  performance.mark(mark);
  const calmMs = 1_000;
  const longTasks: { atMs: number; ms: number; by: string }[] = [];
  const at = { shell: 0, connected: 0, shown: 0, taken: 0 };

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ atMs: startTime, ms: duration, by: "" });
  }).observe({ type: "longtask", buffered: true });
  // What ran is known of frames, not of tasks.
  new PerformanceObserver((list) => {
    type Script = { readonly invoker: string; readonly duration: number };
    for (const frame of list.getEntries() as (PerformanceEntry & { readonly scripts: readonly Script[] })[]) {
      const task = longTasks.find(({ atMs }) => atMs >= frame.startTime && atMs <= frame.startTime + frame.duration);
      if (task === undefined) continue;
      task.by = frame.scripts.map(({ invoker, duration }) => `${invoker} ${duration.toFixed(0)} ms`).join(", ");
    }
  }).observe({ type: "long-animation-frame", buffered: true });

  globalThis.WebSocket = class extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      this.addEventListener("message", ({ data }) => {
        if (at.connected === 0 && String(data).startsWith('42["ready"')) at.connected = performance.now();
      });
    }
    override send(data: Parameters<WebSocket["send"]>[0]): void {
      if (typeof data === "string" && data.includes('["message:received"')) at.taken = performance.now();
      super.send(data);
    }
  };

  function look(): void {
    if (at.shell === 0 && document.querySelector(".rail") !== null) at.shell = performance.now();
    const isShown = [...document.querySelectorAll(selector)].some(({ textContent }) => textContent.includes(text));
    if (isShown) at.shown = performance.now();
    else requestAnimationFrame(look);
  }
  requestAnimationFrame(look);

  globalThis.seen = () => {
    if (at.shown === 0 || (sealed && at.taken === 0)) return undefined;
    if (performance.now() < Math.max(at.shown, at.taken) + calmMs) return undefined;
    return { shellMs: at.shell, connectedMs: at.connected, shownMs: at.shown, takenMs: at.taken, longTasks };
  };
}

/** Runs in the worker that holds the keys, before it has anything to take in. */
export function watchWorker(): void {
  let open = 0;
  let sinceMs = 0;
  let totalMs = 0;

  function begin(): void {
    open += 1;
    if (open === 1) sinceMs = performance.now();
  }
  function end(): void {
    open -= 1;
    if (open === 0) totalMs += performance.now() - sinceMs;
  }
  /** Puts something around a method. */
  function around(owner: object, name: string, run: (original: () => unknown) => unknown): void {
    const original = Reflect.get(owner, name) as (...given: readonly unknown[]) => unknown;
    Reflect.set(owner, name, function method(this: unknown, ...given: readonly unknown[]) {
      return run(() => Reflect.apply(original, this, given));
    });
  }

  around(IDBDatabase.prototype, "transaction", (original) => {
    const begun = original() as IDBTransaction;
    begin();
    for (const name of ["complete", "abort"]) begun.addEventListener(name, end, { once: true });
    return begun;
  });
  for (const name of ["encrypt", "decrypt"]) {
    around(SubtleCrypto.prototype, name, async (original) => {
      begin();
      try {
        return await original();
      } finally {
        end();
      }
    });
  }
  globalThis.storingMs = () => totalMs;
}
