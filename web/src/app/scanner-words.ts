import { defineWords } from "./i18n.ts";

export const scannerWords = defineWords("scanner", {
  en: {
    looking: "Hold the code in front of the camera.",
    asking: "The browser is asking whether the camera may be used.",
    denied: "The camera may not be used here. You can allow it in the browser's settings for this page.",
    none: "There's no camera here that this page can use.",
    again: "Try again",
    picture: "What the camera sees",
  },
  fr: {
    looking: "Présente le code devant la caméra.",
    asking: "Le navigateur demande si la caméra peut servir.",
    denied: "La caméra n'est pas autorisée ici. Tu peux l'autoriser dans les réglages du navigateur pour cette page.",
    none: "Aucune caméra utilisable par cette page.",
    again: "Réessayer",
    picture: "Ce que voit la caméra",
  },
});
