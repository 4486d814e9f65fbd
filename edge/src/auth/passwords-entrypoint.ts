import { compareSync, getRounds, hashSync } from "bcryptjs";
import { WorkerEntrypoint } from "cloudflare:workers";
import * as v from "valibot";
import type { Env } from "../platform/env.ts";
import { type Compared, type Hashed, PASSWORD_COST, PasswordsRequest } from "./passwords.ts";

/** One takes a third of a second: who would wait longer than seven is told to come again. */
const WAITING_MAX = 20;

let waiting = 0;

/**
 * bcrypt in a place of its own: self-hosted, a second workerd process that the edge reaches over a unix socket; on Cloudflare, a service binding.
 * One computation at a time, each in one go: see docs/adr/0003-passwords.md.
 */
export class Passwords extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    const input = v.safeParse(PasswordsRequest, await request.json().catch(() => undefined));
    if (!input.success) return new Response(null, { status: 400 });
    if (waiting >= WAITING_MAX) return new Response(null, { status: 503 });
    const answer = inTurn(input.output);
    // Runs to its end when the caller goes away: a handler that is dropped half-way would never leave the count.
    this.ctx.waitUntil(answer);
    return Response.json(await answer);
  }
}

async function inTurn(input: v.InferOutput<typeof PasswordsRequest>): Promise<Hashed | Compared> {
  waiting++;
  try {
    // Back to the event loop between computations: all that arrived meanwhile is counted before the next one begins.
    await scheduler.wait(0);
    return input.hash === undefined
      ? { hash: hashSync(input.password, PASSWORD_COST) }
      : compare(input.password, input.hash);
  } finally {
    waiting--;
  }
}

function compare(password: string, hash: string): Compared {
  const matches = compareSync(password, hash);
  return { matches: matches && isWhole(password), outdated: getRounds(hash) !== PASSWORD_COST };
}

/**
 * Whether bcrypt reads all of a password. It stops after 72 bytes, and reads a password that is followed by NUL and itself again as the password:
 * such attempts would match although something else was typed.
 */
function isWhole(password: string): boolean {
  return !password.includes("\u0000") && password.isWellFormed() && new TextEncoder().encode(password).length <= 72;
}
