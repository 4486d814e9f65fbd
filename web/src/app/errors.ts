import type { ErrorCode } from "@lescopains/protocol/errors";
import { computed } from "@preact/signals";
import { region } from "./i18n.ts";
import { appWords } from "./words.ts";

/** What is needed of a refusal to say it in words. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
}

const MINUTE_S = 60;
const unit = computed(() => ({
  second: new Intl.NumberFormat(region.value, { style: "unit", unit: "second", unitDisplay: "long" }),
  minute: new Intl.NumberFormat(region.value, { style: "unit", unit: "minute", unitDisplay: "long" }),
}));

/** "40 seconds", "3 minutes": rounded up, so that waiting that long is enough. */
export function waitText(waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return seconds < 2 * MINUTE_S
    ? unit.value.second.format(seconds)
    : unit.value.minute.format(Math.ceil(seconds / MINUTE_S));
}

/** A refusal in plain words: what happened, what was kept, what to do. Follows the language when read in a component. */
export function errorText({ code, retryAfterMs, requestId }: Refusal): string {
  const words = appWords.value;
  if (code === "rate_limited" && retryAfterMs !== undefined) {
    return words.error_rate_limited_for({ wait: waitText(retryAfterMs) });
  }
  const text = words[`error_${code}`];
  return requestId === undefined ? text : `${text} ${words.errorQuote({ id: requestId })}`;
}
