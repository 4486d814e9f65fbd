import { defineWords } from "./i18n.ts";

/** Presence in a word, for whoever doesn't see its mark. */
export const statusWords = defineWords("status", {
  en: {
    online: "online",
    idle: "idle",
    dnd: "do not disturb",
    offline: "away",
  },
  fr: {
    online: "en ligne",
    idle: "absent",
    dnd: "ne pas déranger",
    offline: "ailleurs",
  },
});
