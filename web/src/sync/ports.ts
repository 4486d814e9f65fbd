/** What `net/` and `sync/` ask of the platform, so that they run the same in a browser and in a test without a DOM. */

/** Time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Runs `task` once after `delayMs`; the answer cancels it. */
  readonly after: (delayMs: number, task: () => void) => () => void;
}

/** Mutual exclusion between the tabs of one browser (the Web Locks API). */
export interface Locks {
  /** Runs `task` while holding `name`, after everyone who asked before. */
  readonly exclusive: <T>(name: string, task: () => Promise<T>) => Promise<T>;
  /** Runs `task` only if nobody holds `name`; answers `undefined` otherwise. */
  readonly ifFree: <T>(name: string, task: () => Promise<T>) => Promise<T | undefined>;
  /** Holds `name` until this tab ends or the answer is called. */
  readonly hold: (name: string) => () => void;
}

/** Small texts that outlive the tab (localStorage). Writing may fail when it is full. */
export interface KeyValueStore {
  readonly get: (key: string) => string | undefined;
  /** False when the text could not be kept. */
  readonly set: (key: string, value: string) => boolean;
  readonly remove: (key: string) => void;
  readonly keys: () => readonly string[];
}

/** What this tab's page tells: is it seen, and does the machine think it has a network. */
export interface Page {
  /** Visible and focused: its person is looking. */
  readonly attentive: () => boolean;
  readonly visible: () => boolean;
  readonly online: () => boolean;
  /** Calls `task` when any of the three changes; the answer stops it. */
  readonly onChange: (task: () => void) => () => void;
}

/** A new version-4 UUID. */
export type RandomUuid = () => string;

/** A steady beat that goes on in a hidden tab, where timers are slowed down to one a minute. */
export interface Beats {
  /** Calls `task` every `periodMs`; the answer stops it. */
  readonly every: (periodMs: number, task: () => void) => () => void;
}
