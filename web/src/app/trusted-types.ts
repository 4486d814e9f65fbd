/**
 * Trusted Types: the policy that the edge sends (edge/src/http/headers.ts) lets no text become HTML or the address of a script, unless it came
 * through a policy with a name on its list. Where a browser knows nothing of them, text stays text.
 */

interface Rules {
  readonly createHTML?: (text: string) => string;
  readonly createScriptURL?: (address: string) => string | null;
}

/** `trustedTypes`, of which TypeScript's DOM knows nothing. */
interface Factory {
  readonly createPolicy: (name: string, rules: Rules) => { readonly createHTML: (text: string) => string };
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;

/** Scripts of our own build: what Vite writes for `new Worker(new URL(…))`. */
const OWN_SCRIPT = /^\/assets\/[\w.-]+\.js$/;

/** The address of a script that may be run, or null. */
export function ownScript(address: string, page: string): string | null {
  const url = URL.canParse(address, page) ? new URL(address, page) : undefined;
  return url?.origin === new URL(page).origin && OWN_SCRIPT.test(url.pathname) ? url.href : null;
}

/** From now on workers start from our own files, and from nothing else. Before the first of them. */
export function trustOwnScripts(): void {
  factory?.createPolicy("default", { createScriptURL: (address) => ownScript(address, location.href) });
}

/**
 * Makes `render` the one way from a text to HTML under this name. What it answers is a string for TypeScript and a TrustedHTML for the browser:
 * to be handed on, not to be looked into.
 */
export function trustedRenderer(name: "markdown", render: (text: string) => string): (text: string) => string {
  if (factory === undefined) return render;
  const policy = factory.createPolicy(name, { createHTML: render });
  return (text) => policy.createHTML(text);
}
