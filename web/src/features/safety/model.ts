/** Digits of a safety number that are read in one breath. */
const GROUP = 5;

/** The 60 digits in groups of 5, as both people read them to each other. */
export function digitGroups(digits: string): readonly string[] {
  return digits.match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
}
