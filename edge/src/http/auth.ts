import type { Session } from "@lescopains/protocol/entities";
import { confirmPassword } from "../auth/confirm-password.ts";
import { hashRecoveryCode, newRecoveryCodes } from "../auth/recovery-codes.ts";
import { clearRefreshCookie, readRefreshCookie, setRefreshCookie } from "../auth/refresh-cookie.ts";
import { revokeSessions } from "../auth/revoke.ts";
import { requireSameOrigin } from "../auth/same-origin.ts";
import { readLink, useLink } from "../auth/password-link.ts";
import { admit, failedSecondFactors, forgive } from "../auth/limits.ts";
import { checkSecondFactor } from "../auth/second-factor.ts";
import { login, logout, type OpenedSession, refresh, register, type Visitor } from "../auth/sign-in.ts";
import { newTotpSecret, openTotpSecret, sealTotpSecret, totpStep, totpUri } from "../auth/totp.ts";
import { credentialsById, disableTotp, enableTotp, lastPasswordLink, setPendingTotp } from "../db/accounts.ts";
import { endOwnSession, listSessions } from "../db/sessions.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { limitedAddress } from "./address.ts";
import { type App, type AppContext, serve } from "./route.ts";

function visitor(c: AppContext): Visitor {
  return { address: limitedAddress(c.req.raw, c.env), userAgent: c.req.header("user-agent") };
}

/** The body of the answer; the refresh token goes into the cookie. */
function withCookie(c: AppContext, session: Outcome<OpenedSession>): Outcome<OpenedSession["answer"]> {
  if (!session.ok) return session;
  setRefreshCookie(c, session.value.refreshToken);
  return ok(session.value.answer);
}

/** `/api/auth`: signing in and out, sessions, the second factor. */
export function authRoutes(app: App): void {
  serve(app, "register", async ({ c, env, db, body }) => {
    const sameOrigin = requireSameOrigin(c);
    return sameOrigin.ok ? withCookie(c, await register(env, db, visitor(c), body)) : sameOrigin;
  });

  serve(app, "login", async ({ c, env, db, body }) => {
    const sameOrigin = requireSameOrigin(c);
    return sameOrigin.ok ? withCookie(c, await login(env, db, visitor(c), body)) : sameOrigin;
  });

  serve(app, "refresh", async ({ c, env, db }) => {
    const sameOrigin = requireSameOrigin(c);
    if (!sameOrigin.ok) return sameOrigin;
    const session = await refresh(env, db, readRefreshCookie(c));
    if (!session.ok) clearRefreshCookie(c);
    return withCookie(c, session);
  });

  serve(app, "logout", async ({ c, env, db }) => {
    const sameOrigin = requireSameOrigin(c);
    if (!sameOrigin.ok) return sameOrigin;
    await logout(env, db, readRefreshCookie(c));
    clearRefreshCookie(c);
    return ok();
  });

  // No cookie is read or set, and a page that knows the secret needs nobody's browser: where it is from does not matter.
  serve(app, "readPasswordLink", ({ c, env, db, body }) => readLink(env, db, visitor(c).address, body.secret));
  serve(app, "usePasswordLink", ({ c, env, db, body }) => useLink(env, db, visitor(c).address, body));

  serve(app, "listSessions", async ({ db, user }) => {
    const [rows, [passwordLink = null]] = await Promise.all([
      db.query(listSessions, [user.sub]),
      db.query(lastPasswordLink, [user.sub]),
    ]);
    const sessions = rows.map((row): Session => ({
      id: row.id,
      name: row.name,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
      current: row.id === user.sid,
    }));
    return ok({ sessions, passwordLink });
  });

  serve(app, "revokeSession", async ({ c, env, db, user, params }) => {
    const [ended] = await db.query(endOwnSession, [params.id, user.sub]);
    if (ended === undefined) return refuse("not_found", "no such session");
    await revokeSessions(env, user.sub, [ended.id]);
    if (ended.id === user.sid) clearRefreshCookie(c);
    return ok();
  });

  serve(app, "totpSetup", async ({ env, db, user }) => {
    const [account] = await db.query(credentialsById, [user.sub]);
    const secret = newTotpSecret();
    const sealed = await sealTotpSecret(env.TOTP_KEY, user.sub, secret);
    if (account === undefined || (await db.query(setPendingTotp, [user.sub, sealed])).length === 0) {
      return refuse("conflict", "two-factor sign-in is on already");
    }
    return ok({ secret, uri: totpUri(secret, account.username) });
  });

  serve(app, "totpEnable", async ({ env, db, user, body }) => {
    const limit = [await failedSecondFactors(env, user.sub)];
    const admitted = await admit(db, limit);
    if (!admitted.ok) return admitted;
    const [account] = await db.query(credentialsById, [user.sub]);
    const conflict = refuse("conflict", "there is no secret that waits to be proved: begin with totp/setup");
    if (account === undefined || account.totp_enabled || account.totp_secret === null) return conflict;
    const step = await totpStep(
      await openTotpSecret(env.TOTP_KEY, user.sub, account.totp_secret),
      body.code,
      Date.now(),
    );
    if (step === undefined) return refuse("totp_invalid", "this code is wrong or too old");
    await forgive(db, limit);
    const recoveryCodes = newRecoveryCodes();
    const hashes = await Promise.all(recoveryCodes.map((code) => hashRecoveryCode(env.TOTP_KEY, user.sub, code)));
    const enabled = await db.query(enableTotp, [user.sub, account.totp_secret, step, hashes]);
    return enabled.length > 0 ? ok({ recoveryCodes }) : conflict;
  });

  serve(app, "totpDisable", async ({ env, db, user, body }) => {
    const account = await confirmPassword(env, db, user.sub, body.password);
    if (!account.ok) return account;
    if (!account.value.totp_enabled) return refuse("conflict", "two-factor sign-in is off");
    const factor = await checkSecondFactor(env, db, account.value, body.code);
    if (!factor.ok) return factor;
    await db.query(disableTotp, [user.sub]);
    return ok();
  });
}
