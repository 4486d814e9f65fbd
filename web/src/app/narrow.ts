import { signal } from "@preact/signals";

/** Widths at which the frame changes; the same numbers stand in frame.css. */
const NARROW = "(width < 720px)";
const WIDE = "(width >= 1100px)";

function follow(query: string) {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => {
    matches.value = list.matches;
  });
  return matches;
}

/** One panel at a time. */
export const narrow = follow(NARROW);
/** Room for the members beside the conversation. */
export const wide = follow(WIDE);
