/**
 * The client's state and its conversation with the server: begin here.
 *
 * ```
 * main.tsx ── createClient(browserDeps()) ──▶ Client   small, loaded at once: session, REST
 *                                              └─ live  after sign-in, from a chunk of its own: socket, servers, timelines, outbox
 * ```
 * Views read signals (`client.session.value`, `client.live.value?.servers.value`) and call methods; nothing here knows of JSX.
 * `Live` (live-types.ts) is a lifetime as a value: it exists while one person is signed in, and all of that person's state goes with it.
 */
import type { Self } from "@lescopains/protocol/entities";
import { type LoginBody, REST, type RegisterBody, type Route, type SignedIn } from "@lescopains/protocol/rest";
import { batch, type ReadonlySignal, signal } from "@preact/signals";
import { type Access, createAccess, REFRESH_LOCK } from "../net/access.ts";
import { asApiError } from "../net/api-error.ts";
import { type Api, type Calls, createCalls, type Fetch, request } from "../net/rest.ts";
import { backoffMs } from "./backoff.ts";
import type { Live } from "./live-types.ts";
import type { Clock, KeyValueStore, Locks, Page, RandomUuid } from "./ports.ts";

/** Who is signed in, in this tab. */
export type SessionState =
  /** Asking the server with the refresh cookie, if there is one. `unreachable`: it did not answer yet; it is asked again. */
  | { readonly kind: "restoring"; readonly unreachable: boolean }
  /** `ended`: someone was signed in and the server ended it (revoked, expired, password changed elsewhere). */
  | { readonly kind: "signedOut"; readonly ended: boolean }
  | { readonly kind: "signedIn"; readonly user: Self };

/** What `createLive` needs of the client that starts it. */
export interface LiveInputs {
  readonly self: Self;
  readonly api: Api;
  readonly access: Access;
  readonly clock: Clock;
  readonly locks: Locks;
  readonly storage: KeyValueStore;
  readonly page: Page;
  readonly randomUuid: RandomUuid;
  /** Between 0 and 1, for spreading retries. */
  readonly random: () => number;
}

export interface ClientDeps extends Omit<LiveInputs, "self" | "api" | "access"> {
  readonly fetch: Fetch;
  /** Loads the code of what comes after sign-in. */
  readonly loadLive: () => Promise<(inputs: LiveInputs) => Live>;
}

export interface Client {
  readonly session: ReadonlySignal<SessionState>;
  /** What exists while someone is signed in; null before sign-in, while its code loads, and after sign-out. */
  readonly live: ReadonlySignal<Live | null>;
  /** The REST contract, typed; see net/rest.ts. */
  readonly api: Api;
  /** The same for a table of routes that comes with the code that needs it. */
  readonly calls: <T extends Readonly<Record<string, Route>>>(table: T) => Calls<T>;
  /** Restores the session by the refresh cookie, asking again until the server answers. Called once, at start. */
  readonly restore: () => void;
  /** @throws ApiError `invalid_credentials`, `totp_required`, `totp_invalid`, `rate_limited`, `unavailable`, … */
  readonly login: (body: LoginBody) => Promise<void>;
  /** @throws ApiError `username_taken`, `invalid_request`, `rate_limited`, `unavailable`, … */
  readonly register: (body: RegisterBody) => Promise<void>;
  /**
   * Signs out here at once, then tells the server. What was typed and not sent is kept for the next sign-in.
   * @throws ApiError `unavailable` when the server could not be told: the session goes on there until it is revoked or ends.
   */
  readonly logout: () => Promise<void>;
  /** The account changed (name, e-mail): show it at once. */
  readonly setSelf: (user: Self) => void;
}

/** Makes the client. No singleton: `main.tsx` makes one and passes it on. */
export function createClient(deps: ClientDeps): Client {
  const session = signal<SessionState>({ kind: "restoring", unreachable: false });
  const live = signal<Live | null>(null);
  /** True while the person's own sign-out runs, so that it doesn't show as ended by the server. */
  let leaving = false;
  /** What the account became by the person's own doing, last. */
  let ownDoing: Self | undefined;

  const access = createAccess({
    refresh,
    locks: deps.locks,
    clock: deps.clock,
    onSignedIn: ({ user }) => signedIn(user),
    onEnded: () => signedOut(!leaving),
  });
  const callsDeps = {
    fetch: deps.fetch,
    access,
    pause: (ms: number) => pause(ms + backoffMs(0, deps.random)),
  };
  const calls: Client["calls"] = (table) => createCalls(callsDeps, table);
  const api = calls(REST);

  /** An answer that was on its way while the account was changed here may still say what it was before. */
  async function refresh(): Promise<SignedIn> {
    const before = ownDoing;
    const answer = (await request(deps.fetch, REST.refresh, {})) as SignedIn;
    const changed = ownDoing !== before && ownDoing?.id === answer.user.id;
    return changed ? { ...answer, user: ownDoing ?? answer.user } : answer;
  }

  function signedIn(user: Self): void {
    const before = session.peek();
    const samePerson = before.kind === "signedIn" && before.user.id === user.id;
    batch(() => {
      if (!samePerson) closeLive();
      session.value = { kind: "signedIn", user };
    });
    if (!samePerson) void openLive(user);
  }

  function signedOut(ended: boolean): void {
    const was = session.peek().kind;
    // The socket and every request in flight hear that a session has ended: the first says why, the others change nothing.
    if (was === "signedOut") return;
    batch(() => {
      closeLive();
      session.value = { kind: "signedOut", ended: ended && was === "signedIn" };
    });
  }

  async function openLive(user: Self): Promise<void> {
    for (let attempt = 0; session.peek().kind === "signedIn"; attempt += 1) {
      try {
        const createLive = await deps.loadLive();
        const now = session.peek();
        // Between the request for the code and its arrival the person may have signed out, or another signed in.
        if (now.kind !== "signedIn" || now.user.id !== user.id || live.peek() !== null) return;
        live.value = createLive({ ...deps, self: now.user, api, access });
        return;
      } catch {
        await pause(backoffMs(attempt, deps.random));
      }
    }
  }

  function closeLive(): void {
    live.peek()?.close();
    live.value = null;
  }

  function pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      deps.clock.after(delayMs, resolve);
    });
  }

  async function restore(): Promise<void> {
    for (let attempt = 0; session.peek().kind === "restoring"; attempt += 1) {
      try {
        await access.restore();
        return;
      } catch (thrown) {
        const error = asApiError(thrown);
        if (session.peek().kind !== "restoring") return;
        if (!error.retry) {
          signedOut(false);
          return;
        }
        session.value = { kind: "restoring", unreachable: true };
        await pause((error.retryAfterMs ?? 0) + backoffMs(attempt, deps.random));
      }
    }
  }

  return {
    session,
    live,
    api,
    calls,
    restore: () => void restore(),
    // The refresh lock: a sign-in or sign-out must not cross another tab's refresh, whose cookie would win.
    async login(body) {
      access.accept(await deps.locks.exclusive(REFRESH_LOCK, () => api.call("login", { body })));
    },
    async register(body) {
      access.accept(await deps.locks.exclusive(REFRESH_LOCK, () => api.call("register", { body })));
    },
    async logout() {
      leaving = true;
      access.end();
      leaving = false;
      try {
        await deps.locks.exclusive(REFRESH_LOCK, () => api.call("logout"));
      } catch (error) {
        // Offline, the cookie cannot be taken back: the caller may say so, this tab is signed out all the same.
        throw asApiError(error);
      }
    },
    setSelf(user) {
      if (session.peek().kind !== "signedIn") return;
      ownDoing = user;
      session.value = { kind: "signedIn", user };
      live.peek()?.setSelf(user);
    },
  };
}
