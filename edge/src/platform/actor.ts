import { DurableObject } from "cloudflare:workers";
import type { Env } from "./env.ts";
import { setLogLevel } from "./logger.ts";
import { actorStarted } from "./metrics.ts";
import { requestIdOf, type Trace, within } from "./trace.ts";

/** What every actor is: it is counted, and what it does is done for the request that asked for it. */
export abstract class Actor extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    setLogLevel(env.LOG_LEVEL);
    actorStarted(this, new.target.name);
  }

  /** How others call (platform/actors.ts): `method` with `args`, for a request. */
  traced(trace: Trace | undefined, method: string, args: readonly unknown[]): unknown {
    return within(trace, () => (this as unknown as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args));
  }

  /** Runs what nobody asked for by a call (a frame of a socket) as a request of its own. */
  protected asRequest<T>(userId: string, run: () => T): T {
    return within({ requestId: requestIdOf(undefined), userId }, run);
  }
}
