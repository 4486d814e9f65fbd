import type { Self } from "@lescopains/protocol/entities";
import { ApiError } from "../../net/api-error.ts";

/** The database may just be coming back: so often is the link tried, with pauses of so many milliseconds. */
const CLAIM_TRIES = 4;
const CLAIM_PAUSE_MS = 1_000;

interface Claiming {
  readonly claim: () => Promise<Self>;
  readonly readSelf: () => Promise<Self>;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Uses the first operator's link, which works once; answers the account as it is then. Where the answer to a press was lost, the account alone
 * tells that the link did its work, so that a claim may be tried again. Throws the refusal of `claim` otherwise.
 */
export async function claimPlace({ claim, readSelf, pause }: Claiming): Promise<Self> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await claim();
    } catch (refusal) {
      const self = await readSelf().catch(() => undefined);
      if (self?.operator === true) return self;
      const passes = refusal instanceof ApiError && refusal.code === "unavailable";
      if (!passes || tries === CLAIM_TRIES) throw refusal;
      await pause(CLAIM_PAUSE_MS);
    }
  }
}
