import { createI18n, strings, transform, type TranslationFunction } from "@nanostores/i18n";
import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { atom } from "nanostores";
import { keep, kept } from "./kept.ts";

/** Languages the client is written in. English is the one whose keys the others must match. */
export const LANGUAGES = ["en", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language in its own words, for the switch. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", fr: "Français" };

const wanted: readonly string[] = globalThis.navigator?.languages ?? [];

/** The first of the browser's languages that we speak; English when there is none. */
export function chooseLanguage(candidates: readonly string[]): Language {
  for (const candidate of candidates) {
    const found = LANGUAGES.find((language) => candidate.toLowerCase().split("-")[0] === language);
    if (found !== undefined) return found;
  }
  return "en";
}

const start = chooseLanguage([kept("language") ?? "", ...wanted]);
const current = signal<Language>(start);
const locale = atom<Language>(start);

/** The language in use; reading `.value` in a component follows it. */
export const language: ReadonlySignal<Language> = current;

/** The language with the reader's region where the browser names one ("fr-CA"): what Intl is given. */
export const region = computed(
  () => wanted.find((tag) => tag.toLowerCase().split("-")[0] === current.value) ?? current.value,
);

function announce(next: Language): void {
  if (globalThis.document !== undefined) document.documentElement.lang = next;
}
announce(start);

/** Switches the whole page at once and keeps the choice for the next visit. */
export function setLanguage(next: Language): void {
  keep("language", next);
  announce(next);
  batch(() => {
    current.value = next;
    locale.set(next);
  });
}

const i18n = createI18n(locale, {
  baseLocale: "en",
  cache: { en: {}, fr: {} },
  // Every `words.ts` brings both languages, so nothing is ever fetched.
  get: () => Promise.resolve({}),
});

type Value = string | number;
type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Values<Text, Given extends string = never> = { readonly [Name in Exclude<Names<Text>, Given>]: Value };

/** One pass, so that a value that looks like a placeholder or a `$` pattern stays what it is. */
function fill(text: string, values: Readonly<Record<string, Value>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Words with blanks: `filled("Hello {name}")` becomes `({name}) => string`. */
export const filled: <const Text extends string>(text: Text) => TranslationFunction<[Values<Text>], string> = transform(
  (_locale: string, text: string, values: Readonly<Record<string, Value>>) =>
    strings(text, (part) => fill(part, values)),
);

type PluralArguments<Other> = [Exclude<Names<Other>, "count">] extends [never]
  ? [count: number]
  : [count: number, values: Values<Other, "count">];

/**
 * Words that depend on a number: `plural({one: "{count} member", other: "{count} members"})` becomes
 * `(count) => string`; `{count}` is written the reader's way, further blanks come as a second argument.
 */
export const plural: <const Other extends string>(forms: {
  readonly one: string;
  readonly other: Other;
}) => TranslationFunction<PluralArguments<Other>, string> = transform(
  (tag: string, forms: { one: string; other: string }, count: number, values?: Readonly<Record<string, Value>>) => {
    const form = new Intl.PluralRules(tag).select(count) === "one" ? forms.one : forms.other;
    return fill(form, { ...values, count: new Intl.NumberFormat(region.peek()).format(count) });
  },
);

type Source = Record<string, string | TranslationFunction<never[], string>>;
/** The same keys and blanks, whatever the language. */
export type Words<Base> = {
  readonly [Key in keyof Base]: Base[Key] extends string ? string : Base[Key];
};

/** What the library makes of `filled` and `plural`: the text apart from the function that completes it. */
function plainText(words: Source): Record<string, string> {
  return Object.fromEntries(
    Object.entries(words).map(([key, text]) => [
      key,
      typeof text === "string" ? text : (text as unknown as { input: string }).input,
    ]),
  );
}

/** As French is set: the space beside these signs is narrow and breaks no line, so that none begins with a question mark. */
function french(text: unknown): unknown {
  if (typeof text === "string") return text.replaceAll(/ (?=[:;?!»])/g, "\u202f").replaceAll("« ", "«\u202f");
  return Object.fromEntries(Object.entries(text as object).map(([key, part]) => [key, french(part)]));
}

/**
 * The words of one feature in every language. Read `.value` in a component:
 *
 *     export const authWords = defineWords("auth", { en: { login: "Log in" }, fr: { login: "Connexion" } });
 *     <button>{authWords.value.login}</button>
 */
export function defineWords<const Base extends Source>(
  feature: string,
  words: { readonly en: Base; readonly fr: Words<Base> },
): ReadonlySignal<Words<Base>> {
  i18n.cache.fr[feature] = french(plainText(words.fr)) as never;
  const store = i18n(feature, words.en as never);
  const now = signal<Words<Base>>(store.get());
  store.listen((next) => {
    now.value = next;
  });
  return now;
}

/** A date format that follows the language: `timeOfDay.value.format(date)`. Define once, outside components: making one is slow. */
export function dateFormat(options: Intl.DateTimeFormatOptions): ReadonlySignal<Intl.DateTimeFormat> {
  return computed(() => new Intl.DateTimeFormat(region.value, options));
}

/** A number format that follows the language. */
export function numberFormat(options?: Intl.NumberFormatOptions): ReadonlySignal<Intl.NumberFormat> {
  return computed(() => new Intl.NumberFormat(region.value, options));
}

/** "3 minutes ago", "yesterday": a relative format that follows the language. */
export function relativeFormat(options?: Intl.RelativeTimeFormatOptions): ReadonlySignal<Intl.RelativeTimeFormat> {
  return computed(() => new Intl.RelativeTimeFormat(region.value, options));
}
