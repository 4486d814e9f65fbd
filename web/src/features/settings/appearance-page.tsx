import { useId } from "preact/hooks";
import { LANGUAGE_NAMES, LANGUAGES, language, numberFormat, setLanguage } from "../../app/i18n.ts";
import { setTextSize, setTheme, TEXT_SIZES, textSize, theme, THEMES } from "../../app/look.ts";
import { Choices } from "../../ui/field.tsx";
import { settingsWords } from "./words.ts";

const percent = numberFormat({ style: "percent" });
const THEME_WORD = {
  system: "themeSystem",
  light: "themeLight",
  dark: "themeDark",
  contrast: "themeContrast",
} as const;

/** How it looks and speaks, in this browser. */
export function AppearancePage() {
  const words = settingsWords.value;
  const id = useId();
  return (
    <section class="section">
      <Choices
        legend={words.theme}
        value={theme.value}
        options={THEMES.map((value) => ({ value, label: words[THEME_WORD[value]] }))}
        onValue={setTheme}
      />
      <div class="field">
        <label class="field-label" for={id}>
          {words.textSize}
        </label>
        <div class="range">
          <input
            id={id}
            type="range"
            min={TEXT_SIZES.min}
            max={TEXT_SIZES.max}
            step={TEXT_SIZES.step}
            value={textSize.value}
            aria-valuetext={percent.value.format(textSize.value / 100)}
            onInput={(event) => setTextSize(event.currentTarget.valueAsNumber)}
          />
          <output for={id}>{percent.value.format(textSize.value / 100)}</output>
        </div>
        <p class="sample">{words.textSizeSample}</p>
      </div>
      <Choices
        legend={words.language}
        value={language.value}
        options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
        onValue={setLanguage}
      />
    </section>
  );
}
