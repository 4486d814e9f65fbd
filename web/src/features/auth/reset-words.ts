import { defineWords, filled } from "../../app/i18n.ts";

export const resetWords = defineWords("reset", {
  en: {
    title: "A new password",
    lead: filled("For the account {username}. The link works once."),
    password: "New password",
    signedOut: "Everywhere this account is signed in, you'll have to log in again.",
    keys: "A password holds no keys: your private messages stay readable in the browsers that have yours. In a new one, you need one of those browsers or your recovery key.",
    set: "Set the password",
    done: "Your password is set",
    doneHelp: "The old one no longer works, and everything that was signed in is signed out.",
    over: "This link doesn't work (any more)",
    overHelp:
      "It was used, it's more than a day old, or a newer one was made. Ask whoever runs this place for another.",
    forgot: "Forgot your password?",
    forgotAsk:
      "Ask whoever runs this place for a link: with it you choose a new one. You were sent one? Open the whole of it, with everything behind the #.",
    forgotKeys:
      "Your private messages don't come with the password. If they're in this browser, keep it as it is. Otherwise, have another of your browsers or your recovery key at hand.",
  },
  fr: {
    title: "Un nouveau mot de passe",
    lead: filled("Pour le compte {username}. Le lien sert une seule fois."),
    password: "Nouveau mot de passe",
    signedOut: "Partout où ce compte est connecté, il faudra te reconnecter.",
    keys: "Un mot de passe ne contient aucune clé : tes messages privés restent lisibles dans les navigateurs qui ont les tiennes. Dans un nouveau, il te faut un de ces navigateurs ou ta clé de récupération.",
    set: "Choisir ce mot de passe",
    done: "Ton mot de passe est changé",
    doneHelp: "L'ancien ne marche plus, et tout ce qui était connecté est déconnecté.",
    over: "Ce lien ne marche pas (ou plus)",
    overHelp:
      "Il a servi, il a plus d'un jour, ou un plus récent a été créé. Demandes-en un autre à la personne qui gère ce lieu.",
    forgot: "Mot de passe oublié ?",
    forgotAsk:
      "Demande un lien à la personne qui gère ce lieu : il te fait choisir un nouveau mot de passe. Tu en as reçu un ? Ouvre-le en entier, avec tout ce qui suit le #.",
    forgotKeys:
      "Tes messages privés ne viennent pas avec le mot de passe. S'ils sont dans ce navigateur, garde-le tel quel. Sinon, prévois un autre de tes navigateurs ou ta clé de récupération.",
  },
});
