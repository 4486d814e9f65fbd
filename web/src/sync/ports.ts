/** What `net/` and `sync/` ask of the platform, so that they run the same in a browser and in a test without a DOM. */

/** Time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

/** Mutual exclusion between the tabs of one browser (the Web Locks API). */
export interface Locks {
  /** Runs `task` while holding `name`, after everyone who asked before. */
  exclusive<T>(name: string, task: () => Promise<T>): Promise<T>;
  /** Runs `task` only if nobody holds `name`; answers `undefined` otherwise. */
  ifFree<T>(name: string, task: () => Promise<T>): Promise<T | undefined>;
  /** Holds `name` until this tab ends or the answer is called. */
  hold(name: string): () => void;
}

/** Small texts that outlive the tab (localStorage). Writing may fail when it is full. */
export interface KeyValueStore {
  get(key: string): string | undefined;
  /** False when the text could not be kept. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
  keys(): readonly string[];
}

/** What this tab's page tells: is it seen, and does the machine think it has a network. */
export interface Page {
  /** Visible and focused: its person is looking. */
  attentive(): boolean;
  visible(): boolean;
  online(): boolean;
  /** Calls `task` when any of the three changes; the answer stops it. */
  onChange(task: () => void): () => void;
}

/** A new version-4 UUID. */
export type RandomUuid = () => string;
