import { dateFormat } from "../../app/i18n.ts";

const timeOfDay = dateFormat({ hour: "2-digit", minute: "2-digit" });
const weekday = dateFormat({ weekday: "short" });
const dayOfYear = dateFormat({ day: "numeric", month: "short" });
const day = dateFormat({ day: "numeric", month: "short", year: "numeric" });

const WEEK_MS = 6 * 24 * 60 * 60_000;

/** As short as it can be understood: "14:05" today, "Tue" within the week, "3 Mar" this year, the date before. */
export function whenText(atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  if (at.toDateString() === now.toDateString()) return timeOfDay.value.format(at);
  if (nowMs - atMs < WEEK_MS) return weekday.value.format(at);
  return (at.getFullYear() === now.getFullYear() ? dayOfYear : day).value.format(at);
}
