import { LinkSecret } from "@lescopains/protocol/entities";
import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as v from "valibot";

/** What a link with a secret is for: it makes the first operator, or sets a new password. */
type LinkKind = "claim" | "reset";

/** Of this tab alone, and gone with it: the secret of a link, while its opener makes an account or chooses a password. */
function keyOf(kind: LinkKind): string {
  return `lescopains-${kind}`;
}

/** Takes the secret out of the address, where it would stay in the history, and keeps it for this tab. */
export function linkSecret(kind: LinkKind): string | undefined {
  const secret = location.hash.slice(1);
  try {
    if (v.is(LinkSecret, secret)) {
      sessionStorage.setItem(keyOf(kind), secret);
      history.replaceState(history.state, "", location.pathname + location.search);
    }
    const kept = sessionStorage.getItem(keyOf(kind)) ?? undefined;
    return v.is(LinkSecret, kept) ? kept : undefined;
  } catch {
    // A browser that keeps nothing: the address still has it.
    return v.is(LinkSecret, secret) ? secret : undefined;
  }
}

/** The secret that the address of this view brought: another link in the same tab changes no more than what stands behind the `#`. */
export function useLinkSecret(kind: LinkKind): ReadonlySignal<string | undefined> {
  const secret = useSignal(linkSecret(kind));
  useEffect(() => {
    const look = (): void => {
      secret.value = linkSecret(kind);
    };
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return secret;
}

/** It was used. */
export function dropLinkSecret(kind: LinkKind): void {
  try {
    sessionStorage.removeItem(keyOf(kind));
  } catch {
    // Nothing was kept.
  }
}
