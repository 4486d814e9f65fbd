import { mayAskFrom } from "../http/cors.ts";
import type { AppContext } from "../http/route.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";

/**
 * Refuses with `cross_origin` what a page of another origin sent. For the routes that read or set the refresh cookie: `SameSite=Strict` covers
 * most of it, but a sibling subdomain is the same site, and a foreign form could sign a person in to an account that is not theirs.
 * Programs send no `Origin` and pass, and so do pages that the operator lets in (CORS_ORIGINS).
 */
export function requireSameOrigin(c: AppContext): Outcome<undefined> {
  const origin = c.req.header("origin");
  const allowed =
    origin === undefined
      ? isFromHere(c.req.header("sec-fetch-site"))
      : isSameOrigin(origin, c.req.url) || mayAskFrom(origin, c.env);
  return allowed ? ok() : refuse("cross_origin", "this page may not ask that");
}

/** What browsers say of a request without `Origin`, which a page cannot change (Fetch Metadata): from this origin, or from no page at all. */
function isFromHere(site: string | undefined): boolean {
  return site === undefined || site === "same-origin" || site === "none";
}

/**
 * Whether an `Origin` header names the place the request was sent to. Behind a proxy that ends TLS the request itself is plain http, so an https
 * origin of the same host is accepted for it; the other way round is not.
 */
export function isSameOrigin(origin: string, requestUrl: string): boolean {
  if (!URL.canParse(origin)) return false;
  const theirs = new URL(origin);
  const ours = new URL(requestUrl);
  return theirs.host === ours.host && (theirs.protocol === ours.protocol || theirs.protocol === "https:");
}
