import { defineWords } from "../../app/i18n.ts";

export const voiceWords = defineWords("voice", {
  en: {
    keySpace: "Space",
    keyControl: "Ctrl",
    keyAlt: "Alt",
    keyShift: "Shift",
    keyBackquote: "the key left of 1",
  },
  fr: {
    keySpace: "Espace",
    keyControl: "Ctrl",
    keyAlt: "Alt",
    keyShift: "Maj",
    keyBackquote: "la touche à gauche du 1",
  },
});
