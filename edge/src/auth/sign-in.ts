import { type Self, Username } from "@lescopains/protocol/entities";
import { SessionId, UserId } from "@lescopains/protocol/ids";
import { LIMITS, PERIODS } from "@lescopains/protocol/limits";
import type { Registration } from "@lescopains/protocol/instance";
import type { LoginBody, RegisterBody, SignedIn } from "@lescopains/protocol/rest";
import { v7 } from "uuid";
import * as v from "valibot";
import {
  createAccount,
  credentialsByName,
  type CredentialsRow,
  nameTaken,
  rehashPassword,
  type SelfRow,
  toSelf,
} from "../db/accounts.ts";
import { admission } from "../db/instance.ts";
import { type Database, DatabaseError } from "../db/port.ts";
import { endReusedSession, endSession, openSession, rotateSession } from "../db/sessions.ts";
import { type Env, settings } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { ok, type Outcome, type Refusal, refuse } from "@lescopains/protocol/outcome";
import { signAccessToken } from "./access-token.ts";
import { secretHash } from "./link-secret.ts";
import { admit, failedSignIns, forgive, registrations, signIns } from "./limits.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";
import { openRefreshToken, sealRefreshToken } from "./refresh-token.ts";
import { revokeSessions } from "./revoke.ts";
import { checkSecondFactor } from "./second-factor.ts";
import { sessionName } from "./session-name.ts";

const REFRESH_S = PERIODS.refreshTokenMs / 1_000;

/** Who is at the door. */
export interface Visitor {
  /** By which they are limited (http/address.ts). */
  readonly address: string;
  readonly userAgent: string | undefined;
}

/** A session that was opened or went on: the answer's body, and the token for the cookie. */
export interface OpenedSession {
  readonly answer: SignedIn;
  readonly refreshToken: string;
}

async function opened(env: Env, user: Self, sessionId: SessionId, generation: number): Promise<Outcome<OpenedSession>> {
  const accessToken = await signAccessToken(env.JWT_SECRET, user.id, sessionId, Date.now());
  const refreshToken = await sealRefreshToken(env.JWT_SECRET, { sessionId, generation });
  return ok({ answer: { user, accessToken, expiresIn: PERIODS.accessTokenMs / 1_000 }, refreshToken });
}

/** Why somebody may not make an account. */
function notAdmitted(registration: Registration, invite: string | null): Refusal {
  if (registration === "closed") return refuse("registration_closed", "no new accounts are made here");
  if (invite === null) return refuse("invite_required", "an account takes an invite here");
  return refuse("invite_invalid", "this invite does not work (any more)");
}

/**
 * Makes an account and signs it in. The order keeps it cheap for us: the limit, the door, then the name, then the password's third of a second.
 * Refuses with `rate_limited`, `registration_closed`, `invite_required`, `invite_invalid`, `username_taken` or `unavailable`.
 */
export async function register(
  env: Env,
  db: Database,
  visitor: Visitor,
  body: RegisterBody,
): Promise<Outcome<OpenedSession>> {
  const admitted = await admit(db, [await registrations(env, visitor.address)]);
  if (!admitted.ok) return admitted;
  const { REGISTRATION } = settings(env);
  const invite = body.invite ?? null;
  const inviteHash = invite === null ? null : await secretHash(invite);
  const [door] = await db.query(admission, [REGISTRATION, invite, inviteHash]);
  if (door?.admitted !== true) return notAdmitted(door?.registration ?? "closed", invite);
  const taken = refuse("username_taken", "somebody has this name");
  if ((await db.query(nameTaken, [body.username.toLowerCase()])).length > 0) return taken;
  const hash = await hashPassword(env, body.password);
  if (!hash.ok) return hash;
  const userId = v.parse(UserId, v7());
  const sessionId = v.parse(SessionId, v7());
  let rows: SelfRow[];
  try {
    rows = await db.query(createAccount, [
      userId,
      body.username,
      body.email ?? null,
      hash.value,
      sessionId,
      sessionName(visitor.userAgent),
      REFRESH_S,
      REGISTRATION,
      invite,
      inviteHash,
    ]);
  } catch (error) {
    // Two people wanted the name at once.
    if (error instanceof DatabaseError && error.kind === "unique" && error.constraint === "users_username_key_key")
      return taken;
    throw error;
  }
  const [row] = rows;
  // Somebody else used the invite up, or the door was closed, while the password was being hashed.
  if (row === undefined) return notAdmitted(door.registration, invite);
  log.info("account made", { userId, sessionId });
  return opened(env, toSelf(row), sessionId, 1);
}

/**
 * Signs in. Status, body and the time it takes are the same whether the name is nobody's or the password is wrong: one comparison either way,
 * and limits that count names, not accounts.
 * Refuses with `rate_limited`, `invalid_credentials`, `account_disabled`, `totp_required`, `totp_invalid` or `unavailable`.
 */
export async function login(
  env: Env,
  db: Database,
  visitor: Visitor,
  body: LoginBody,
): Promise<Outcome<OpenedSession>> {
  const name = body.username.toLowerCase();
  const failures = await failedSignIns(env, name, visitor.address);
  const admitted = await admit(db, [await signIns(env, visitor.address), ...failures]);
  if (!admitted.ok) return admitted;
  // A text that cannot be a name is looked up as the empty one: PostgreSQL would choke on some of them.
  const [account] = await db.query(credentialsByName, [v.is(Username, body.username) ? name : ""]);
  const compared = await verifyPassword(env, body.password, account?.password_hash);
  if (!compared.ok) {
    await forgive(db, failures);
    return compared;
  }
  if (account === undefined || !compared.value.matches) {
    return refuse("invalid_credentials", "no account with this name and password");
  }
  await forgive(db, failures);
  // Told only to who knows the password.
  if (account.disabled) return refuse("account_disabled", "an operator disabled this account");
  if (account.totp_enabled) {
    if (body.totp === undefined) return refuse("totp_required", "a code of the authenticator is needed too");
    const factor = await checkSecondFactor(env, db, account, body.totp);
    if (!factor.ok) return factor;
  }
  const session = await open(env, db, visitor, account);
  if (session.ok && compared.value.outdated) await rehash(env, db, account, body.password);
  return session;
}

async function open(
  env: Env,
  db: Database,
  visitor: Visitor,
  account: CredentialsRow,
): Promise<Outcome<OpenedSession>> {
  const sessionId = v.parse(SessionId, v7());
  const [row] = await db.query(openSession, [
    sessionId,
    account.id,
    sessionName(visitor.userAgent),
    REFRESH_S,
    LIMITS.sessionsPerUser - 1,
    account.password_hash,
  ]);
  if (row === undefined) return refuse("unavailable", "the account changed meanwhile: try again", { retryAfterMs: 0 });
  await revokeSessions(env, account.id, row.gone);
  log.info("signed in", { userId: account.id, sessionId });
  return opened(env, toSelf(row), sessionId, 1);
}

/** Gives a password that was just verified a hash of today's work factor. When many wait it stays as it is until next time. */
async function rehash(env: Env, db: Database, account: CredentialsRow, password: string): Promise<void> {
  const hash = await hashPassword(env, password);
  if (hash.ok) await db.query(rehashPassword, [account.id, account.password_hash, hash.value]);
}

/**
 * Exchanges a refresh token for the next one (RFC 9700 §4.14.2). One that was exchanged before is in two hands: its session ends.
 * One that somebody made up ends nothing. Refuses with `unauthenticated` or `session_revoked`.
 */
export async function refresh(env: Env, db: Database, token: string | undefined): Promise<Outcome<OpenedSession>> {
  const claims = token === undefined ? undefined : await openRefreshToken(env.JWT_SECRET, token);
  if (claims === undefined) return refuse("unauthenticated", "no refresh token, or not one of ours");
  const { sessionId, generation } = claims;
  const [row] = await db.query(rotateSession, [sessionId, generation, REFRESH_S]);
  if (row !== undefined) return opened(env, toSelf(row), sessionId, row.generation);
  const [reused] = await db.query(endReusedSession, [sessionId, generation]);
  if (reused !== undefined) {
    log.warn("a refresh token was used twice: its session is ended", { userId: reused.user_id, sessionId });
    await revokeSessions(env, reused.user_id, [sessionId]);
  }
  return refuse("session_revoked", "this session has ended: sign in again");
}

/** Ends the session of a refresh token, of whatever generation. Nothing to end is fine too. */
export async function logout(env: Env, db: Database, token: string | undefined): Promise<void> {
  const claims = token === undefined ? undefined : await openRefreshToken(env.JWT_SECRET, token);
  if (claims === undefined) return;
  const [ended] = await db.query(endSession, [claims.sessionId]);
  if (ended !== undefined) await revokeSessions(env, ended.user_id, [ended.id]);
}
