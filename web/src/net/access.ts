import type { UserId } from "@lescopains/protocol/ids";
import type { SignedIn } from "@lescopains/protocol/rest";
import type { Clock, Locks } from "../sync/ports.ts";
import { ApiError } from "./api-error.ts";

/** The access token of this tab, in memory only. */
export interface Access {
  /** A token with some life left; renews it first when it is about to end. Refused with `unauthenticated` when signed out. */
  readonly token: () => Promise<string>;
  /** A token other than `stale`, which the server no longer takes. */
  readonly renew: (stale: string) => Promise<string>;
  /** Asks for a first token with the refresh cookie alone. */
  readonly restore: () => Promise<SignedIn>;
  /** Takes the tokens of a sign-in. */
  readonly accept: (signedIn: SignedIn) => void;
  /** Forgets the token: signed out, here or by the server. */
  readonly end: () => void;
}

export interface AccessDeps {
  /** Exchanges the refresh cookie. */
  readonly refresh: () => Promise<SignedIn>;
  readonly locks: Locks;
  readonly clock: Clock;
  /** Somebody is signed in with a new token; perhaps another person than before, who signed in from another tab. */
  readonly onSignedIn: (signedIn: SignedIn) => void;
  /** Nobody is signed in any more. */
  readonly onEnded: () => void;
}

/** The lock under which any tab refreshes: the cookie rotates, and using an old one ends the session. */
export const REFRESH_LOCK = "lescopains-refresh";
/** A token is renewed this long before its end. */
const RENEW_BEFORE_MS = 60_000;
/** A token with less life than this is not used for a request. */
const MIN_LIFE_MS = 10_000;

interface Held {
  readonly userId: UserId;
  readonly token: string;
  readonly endsAt: number;
}

/** Keeps one access token alive. Refreshes are single flight, in this tab and among all tabs. */
export function createAccess(deps: AccessDeps): Access {
  let held: Held | undefined;
  /** All that the person who is signed in had. */
  let tokens = new Set<string>();
  let flight: Promise<SignedIn> | undefined;
  let cancelRenewal: (() => void) | undefined;
  /** Counts sign-outs, so that an answer that comes after one changes nothing. */
  let epoch = 0;

  function accept(signedIn: SignedIn): void {
    const lifeMs = signedIn.expiresIn * 1_000;
    if (held?.userId !== signedIn.user.id) tokens = new Set();
    held = { userId: signedIn.user.id, token: signedIn.accessToken, endsAt: deps.clock.now() + lifeMs };
    tokens.add(held.token);
    cancelRenewal?.();
    cancelRenewal = deps.clock.after(Math.max(lifeMs - RENEW_BEFORE_MS, lifeMs / 2), () => {
      // A failure here is no loss: whoever needs the token next renews it then.
      refresh().catch(() => undefined);
    });
    deps.onSignedIn(signedIn);
  }

  function end(): void {
    epoch += 1;
    held = undefined;
    cancelRenewal?.();
    deps.onEnded();
  }

  function refresh(): Promise<SignedIn> {
    flight ??= deps.locks
      .exclusive(REFRESH_LOCK, async () => {
        const startedIn = epoch;
        try {
          const signedIn = await deps.refresh();
          if (startedIn === epoch) accept(signedIn);
          return signedIn;
        } catch (error) {
          if (startedIn === epoch && error instanceof ApiError && isEnded(error)) end();
          throw error;
        }
      })
      .finally(() => {
        flight = undefined;
      });
    return flight;
  }

  /** Who asks does so in their own name: another person may have signed in meanwhile, from another tab. */
  async function usable(now: Held | undefined, isGood: (now: Held) => boolean): Promise<string> {
    if (now !== undefined && isGood(now)) return now.token;
    const next = now && (await refresh());
    if (next === undefined || next.user.id !== now?.userId) {
      throw new ApiError({ code: "unauthenticated", message: "signed out" });
    }
    return next.accessToken;
  }

  return {
    token: async () => await usable(held, (now) => now.endsAt - deps.clock.now() > MIN_LIFE_MS),
    renew: async (stale) => await usable(tokens.has(stale) ? held : undefined, (now) => now.token !== stale),
    restore: refresh,
    accept,
    end,
  };
}

/** A refresh refused with 401 means that the session is over, whatever the reason's name. */
function isEnded(error: ApiError): boolean {
  return error.code === "unauthenticated" || error.code === "session_revoked" || error.code === "token_expired";
}
