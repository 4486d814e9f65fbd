import type { ClientDeps } from "./client.ts";
import type { Clock, KeyValueStore, Locks, Page } from "./ports.ts";
import { nextTurn } from "./turn.ts";

/** The client's ports on a real browser: `createClient(browserDeps())`. */
export function browserDeps(): ClientDeps {
  return {
    fetch: (url, init) => fetch(url, init),
    clock: browserClock,
    locks: browserLocks(),
    storage: browserStorage,
    page: browserPage,
    randomUuid,
    random: Math.random,
    async loadLive() {
      const { createLiveInBrowser } = await import("./live-browser.ts");
      // Evaluating the code is a task of its own.
      await nextTurn();
      return createLiveInBrowser;
    },
  };
}

export const browserClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Web Locks exist in secure contexts only; on a plain-http address other than localhost each tab stands alone. */
function browserLocks(): Locks {
  const manager: LockManager | undefined = navigator.locks;
  if (manager === undefined) {
    return {
      exclusive: (_, task) => task(),
      ifFree: (_, task) => task(),
      hold: () => () => undefined,
    };
  }
  return {
    exclusive: async (name, task) => await manager.request(name, task),
    ifFree: async (name, task) =>
      await manager.request(name, { ifAvailable: true }, async (lock) => (lock === null ? undefined : await task())),
    hold(name) {
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      manager.request(name, () => held).catch(() => undefined);
      return release;
    },
  };
}

/** localStorage, whose every access may throw: full, or forbidden by the browser's settings. */
const browserStorage: KeyValueStore = {
  get: (key) => attempt(() => localStorage.getItem(key)) ?? undefined,
  set: (key, value) =>
    attempt(() => {
      localStorage.setItem(key, value);
      return true;
    }) ?? false,
  remove(key) {
    attempt(() => localStorage.removeItem(key));
  },
  keys: () => attempt(() => Object.keys(localStorage)) ?? [],
};

function attempt<T>(task: () => T): T | undefined {
  try {
    return task();
  } catch {
    return undefined;
  }
}

export const browserPage: Page = {
  attentive: () => document.visibilityState === "visible" && document.hasFocus(),
  visible: () => document.visibilityState === "visible",
  online: () => navigator.onLine,
  onChange(task) {
    const sources: readonly [EventTarget, string][] = [
      [document, "visibilitychange"],
      [window, "focus"],
      [window, "blur"],
      [window, "online"],
      [window, "offline"],
      // A page that comes back from the back-forward cache has a dead socket.
      [window, "pageshow"],
    ];
    for (const [target, event] of sources) target.addEventListener(event, task);
    return () => {
      for (const [target, event] of sources) target.removeEventListener(event, task);
    };
  },
};

/** `crypto.randomUUID` exists in secure contexts only; RFC 9562, section 5.4, by hand works everywhere. */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
