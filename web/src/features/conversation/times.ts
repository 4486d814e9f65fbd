import { dateFormat } from "../../app/i18n.ts";
import { dayOf } from "./model.ts";
import { conversationWords } from "./words.ts";

const timeOfDay = dateFormat({ hour: "2-digit", minute: "2-digit" });
const shortDay = dateFormat({ day: "numeric", month: "short", year: "numeric" });
const longDay = dateFormat({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const fullMoment = dateFormat({ dateStyle: "full", timeStyle: "short" });

const DAY_MS = 24 * 60 * 60_000;

/** "14:05". */
export function timeText(atMs: number): string {
  return timeOfDay.value.format(atMs);
}

/** "Sunday, 22 November 2026 at 14:05", for those who ask. */
export function momentText(atMs: number): string {
  return fullMoment.value.format(atMs);
}

/** "Today", "Yesterday", or the date in full. */
export function dayText(atMs: number, nowMs: number): string {
  const words = conversationWords.value;
  if (dayOf(atMs) === dayOf(nowMs)) return words.today;
  if (dayOf(atMs) === dayOf(nowMs - DAY_MS)) return words.yesterday;
  return longDay.value.format(atMs);
}

/** The time of a message of today, the date and time of an older one. */
export function headTimeText(atMs: number, nowMs: number): string {
  const time = timeText(atMs);
  return dayOf(atMs) === dayOf(nowMs) ? time : `${shortDay.value.format(atMs)} ${time}`;
}
