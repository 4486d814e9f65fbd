import { PERIODS } from "@lescopains/protocol/limits";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { isSecure } from "../http/address.ts";
import type { AppContext } from "../http/route.ts";

/**
 * No `__Secure-` or `__Host-` prefix: browsers drop such cookies on plain http, which `npm start` and home networks use, and the name is the same
 * everywhere so that a place that moves behind TLS keeps its people signed in.
 */
const NAME = "lescopains_refresh";

function attributes(c: AppContext) {
  return { path: "/api/auth", httpOnly: true, sameSite: "Strict", secure: isSecure(c.req.raw, c.env) } as const;
}

/** The refresh token that the browser holds, if any. */
export function readRefreshCookie(c: AppContext): string | undefined {
  return getCookie(c, NAME);
}

export function setRefreshCookie(c: AppContext, token: string): void {
  setCookie(c, NAME, token, { ...attributes(c), maxAge: PERIODS.refreshTokenMs / 1_000 });
}

/** Tells the browser to forget a token that is of no more use. */
export function clearRefreshCookie(c: AppContext): void {
  deleteCookie(c, NAME, attributes(c));
}
