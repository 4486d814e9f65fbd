import { LANGUAGE_NAMES, LANGUAGES, language, numberFormat, setLanguage } from "../../app/i18n.ts";
import { setTextSize, setTheme, TEXT_SIZES, textSize, theme, THEMES } from "../../app/look.ts";
import { Choices } from "../../ui/field.tsx";
import { Slider } from "../../ui/slider.tsx";
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
  return (
    <section class="section">
      <Choices
        legend={words.theme}
        value={theme.value}
        options={THEMES.map((value) => ({ value, label: words[THEME_WORD[value]] }))}
        onValue={setTheme}
      />
      <div class="field">
        <Slider
          label={words.textSize}
          {...TEXT_SIZES}
          value={textSize.value}
          text={percent.value.format(textSize.value / 100)}
          onValue={setTextSize}
        />
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
