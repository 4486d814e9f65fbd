import { type DatabaseErrorKind, type GateAnswer, statement } from "../../db/port.ts";
import { Actor } from "../../platform/actor.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { statementErrors, statements, timed } from "../../platform/metrics.ts";
import { sharedQuestion } from "../../platform/shared-question.ts";
import { type ConnectionPool, openPool } from "./pool.ts";

/** What workerd says of a socket that this side has closed. */
const OWN_CLOSE = "This socket has been closed.";
/** More than this many statements waiting for a connection: PostgreSQL is too slow or gone, and waiting only adds to it. */
const MAX_WAITING = 5_000;
/** What PostgreSQL lacks is said this often: every statement fails of it. */
const SAY_AGAIN_MS = 60_000;
/** How old the answer to "does PostgreSQL answer?" may be. */
const ALIVE_FOR_MS = 1_000;

const alive = statement<[], { one: number }>("alive", "SELECT 1 AS one");

/** Owns the instance's PostgreSQL connections; all others send it named statements. */
export class PgGate extends Actor {
  readonly #pool: Promise<ConnectionPool>;
  readonly #isAlive = sharedQuestion(
    async () => (await this.query(alive.name, alive.text, [])).ok,
    ALIVE_FOR_MS,
    Date.now,
  );
  #lackSaidMs = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // A connection that PostgreSQL closes while idle reports here; the pool has already dropped it. So does one that the pool itself closes.
    this.#pool = openPool(env, ({ message }) => {
      if (message !== OWN_CLOSE) log.warn("postgres connection lost", { reason: message });
    });
  }

  /** Runs one prepared statement. Never throws: the answer says what went wrong. */
  async query(name: string, text: string, values: readonly unknown[]): Promise<GateAnswer> {
    const answer = await timed(
      (seconds) => statements.observe(seconds),
      () => this.#run(name, text, values),
    );
    if (!answer.ok) statementErrors.inc({ kind: answer.kind });
    return answer;
  }

  /** Whether PostgreSQL answers, as it was asked a second ago at most: anybody may want to know, ten thousand times a second. */
  async alive(): Promise<boolean> {
    return await this.#isAlive();
  }

  /** Numbers for `/metrics`. */
  async stats(): Promise<{ busy: number; idle: number; waiting: number }> {
    const { totalCount, idleCount, waitingCount } = await this.#pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  async #run(name: string, text: string, values: readonly unknown[]): Promise<GateAnswer> {
    try {
      const pool = await this.#pool;
      if (pool.waitingCount > MAX_WAITING) {
        return { ok: false, kind: "unavailable", message: "too many statements waiting", constraint: undefined };
      }
      const { rows } = await pool.query({ name, text, values: [...values] });
      return { ok: true, rows };
    } catch (error) {
      this.#sayWhatLacks(error as { code?: string; message?: string });
      return refusal(error, name);
    }
  }

  /** A full disk, or too many connections: whoever runs the instance can do something about it. */
  #sayWhatLacks({ code, message }: { code?: string; message?: string }): void {
    if (code?.startsWith("53") !== true || Date.now() - this.#lackSaidMs < SAY_AGAIN_MS) return;
    this.#lackSaidMs = Date.now();
    log.warn("the database lacks something that it needs", { reason: message, code });
  }
}

/** PostgreSQL error classes (SQLSTATE, appendix A of its manual). */
function refusal(error: unknown, name: string): GateAnswer {
  const { code, constraint, message } = error as { code?: string; constraint?: string; message?: string };
  const answer = (kind: DatabaseErrorKind): GateAnswer => ({
    ok: false,
    kind,
    message: message ?? String(error),
    constraint,
  });
  if (code === "23505") return answer("unique");
  if (code === "23503") return answer("foreign_key");
  if (code === "23514") return answer("check");
  // 08: connection; 53: out of resources; 57: cancelled or shutting down; no SQLSTATE at all: the socket failed or timed out.
  const sqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  if (!sqlState || code.startsWith("08") || code.startsWith("53") || code.startsWith("57"))
    return answer("unavailable");
  log.error("statement failed", error, { statement: name, code });
  return answer("failed");
}
