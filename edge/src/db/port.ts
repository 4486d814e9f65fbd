import { pgGate } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";

/**
 * A named SQL statement: `name` becomes PostgreSQL's prepared statement, `Values` are its parameters in order,
 * `Row` is what a row looks like. BIGINT arrives as number (every one of ours stays below 2^53, permission bits are cast
 * to text), timestamptz as ISO 8601 text, jsonb parsed, bytea as Uint8Array.
 * Every change of data is one statement (data-modifying CTEs where several tables take part), so it needs no transaction of its own.
 */
export interface Statement<Values extends readonly unknown[], Row> {
  readonly name: string;
  readonly text: string;
  /** Types only; never set. */
  readonly __types?: (values: Values) => Row;
}

export function statement<Values extends readonly unknown[], Row>(name: string, text: string): Statement<Values, Row> {
  return { name, text };
}

/** Runs statements. Throws `DatabaseError`. */
export interface Database {
  query<Values extends readonly unknown[], Row>(statement: Statement<Values, Row>, values: Values): Promise<Row[]>;
}

/** `unavailable`: PostgreSQL cannot be reached or did not answer; nothing is known about the statement's effect. */
export type DatabaseErrorKind = "unavailable" | "unique" | "foreign_key" | "check" | "failed";

export class DatabaseError extends Error {
  readonly kind: DatabaseErrorKind;
  /** Name of the violated constraint or index. */
  readonly constraint: string | undefined;
  constructor(kind: DatabaseErrorKind, message: string, constraint?: string) {
    super(message);
    this.name = "DatabaseError";
    this.kind = kind;
    this.constraint = constraint;
  }
}

/** What the gate answers: errors travel as values, since an exception loses its class between actors. */
export type GateAnswer =
  | { readonly ok: true; readonly rows: unknown[] }
  | {
      readonly ok: false;
      readonly kind: DatabaseErrorKind;
      readonly message: string;
      readonly constraint: string | undefined;
    };

/** The database as the worker and the actors reach it: through the one actor that owns the connections. */
export function database(env: Pick<Env, "PG_GATE" | "ACTOR_LOCATION">): Database {
  const gate = pgGate(env);
  return {
    async query<Values extends readonly unknown[], Row>(st: Statement<Values, Row>, values: Values): Promise<Row[]> {
      const answer: GateAnswer = await gate.query(st.name, st.text, values);
      if (!answer.ok) throw new DatabaseError(answer.kind, answer.message, answer.constraint);
      return answer.rows as Row[];
    },
  };
}
