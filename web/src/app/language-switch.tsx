import { language, LANGUAGE_NAMES, LANGUAGES, setLanguage } from "./i18n.ts";
import "./language-switch.css";
import { appWords } from "./words.ts";

/** The languages, each in its own words; the present one is pressed. */
export function LanguageSwitch() {
  return (
    <div class="languages" role="group" aria-label={appWords.value.language}>
      {LANGUAGES.map((one) => (
        <button
          key={one}
          type="button"
          lang={one}
          class="language"
          aria-pressed={one === language.value}
          onClick={() => setLanguage(one)}
        >
          {LANGUAGE_NAMES[one]}
        </button>
      ))}
    </div>
  );
}
