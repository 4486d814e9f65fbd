import { ClaimSecret } from "@lescopains/protocol/instance";
import * as v from "valibot";

/** Of this tab alone, and gone with it: the secret of the first operator's link, while its opener makes an account. */
const KEY = "lescopains-claim";

/** Takes the secret out of the address, where it would stay in the history, and keeps it for this tab. */
export function claimSecret(): string | undefined {
  const secret = location.hash.slice(1);
  try {
    if (v.is(ClaimSecret, secret)) {
      sessionStorage.setItem(KEY, secret);
      history.replaceState(history.state, "", location.pathname + location.search);
    }
    const kept = sessionStorage.getItem(KEY) ?? undefined;
    return v.is(ClaimSecret, kept) ? kept : undefined;
  } catch {
    // A browser that keeps nothing: the address still has it.
    return v.is(ClaimSecret, secret) ? secret : undefined;
  }
}

/** It was used. */
export function dropClaimSecret(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
