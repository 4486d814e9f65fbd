import { defineWords, plural } from "./i18n.ts";

/** What direct conversations are called wherever they appear. */
export const directWords = defineWords("direct", {
  en: {
    goneAccount: "deleted account",
    onlyYou: "Just you",
    others: plural({ one: "{count} other", other: "{count} others" }),
    message: "Send a message",
    encrypted: "End-to-end encrypted",
    verified: "Verified",
    toConversation: "Back to the conversation",
  },
  fr: {
    goneAccount: "compte supprimé",
    onlyYou: "Toi seulement",
    others: plural({ one: "{count} autre", other: "{count} autres" }),
    message: "Envoyer un message",
    encrypted: "Chiffré de bout en bout",
    verified: "Vérifié",
    toConversation: "Retour à la conversation",
  },
});
