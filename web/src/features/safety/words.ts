import { defineWords, filled } from "../../app/i18n.ts";

export const safetyWords = defineWords("safety", {
  en: {
    title: filled("Safety number with {name}"),
    lead: filled("If {name} sees the same number, nobody stands between you. Compare it in person, or by voice."),
    number: "Safety number",
    copy: "Copy the digits",
    code: filled("QR code to be scanned by {name}"),
    codeHelp: filled("In the same room? One of you scans the other's code: {name} opens this page too."),
    scan: filled("Scan {name}'s code"),
    stopScan: "Stop the camera",
    same: "The numbers are the same",
    sameHelp: "Without a camera, read the digits to each other.",
    unverify: "Take the mark back",
    verified: filled(
      "You compared numbers with {name}, and you'll be asked before anything is sent if they change one day.",
    ),
    trusted: "Not compared yet. Messages are encrypted all the same.",
    changed: filled("{name}'s safety number has changed since you first wrote. Compare it again to be sure."),
    blocked: filled("{name}'s safety number has changed since you compared it. Until you decide, nothing is sent."),
    unknown: filled("{name} hasn't set up encryption yet, so there's no number to compare."),
    match: filled("It's the same: this is {name}, and nobody stands between you."),
    mismatch: filled(
      "This code isn't the one {name} should have. Either it's another person's, or somebody stands between you. Don't write anything private until you know.",
    ),
    notACode: "That isn't a safety number's code. Look for it on this page of the other person's LesCopains.",
    loading: "Working out the number…",
    again: "Try again",
    compare: "Compare",
    blockedTitle: filled("Is it still {name}?"),
    blockedHelp:
      "Their safety number isn't the one you compared. It's usually a new phone or browser, but it can be somebody posing as them. Nothing is sent until you decide.",
    accept: "Accept the new number",
    acceptTitle: filled("Write to {name} with the new number?"),
    acceptHelp:
      "You can compare it later. Until then, nobody but you can tell whether it's them: ask by another way if in doubt.",
    accepted: "Accepted. What was waiting is on its way.",
  },
  fr: {
    title: filled("Numéro de sécurité avec {name}"),
    lead: filled(
      "Si {name} voit le même numéro, personne ne s'est glissé entre vous. Comparez-le de vive voix, ou face à face.",
    ),
    number: "Numéro de sécurité",
    copy: "Copier les chiffres",
    code: filled("QR code à faire scanner par {name}"),
    codeHelp: filled("Dans la même pièce ? L'un scanne le code de l'autre : {name} ouvre aussi cette page."),
    scan: filled("Scanner le code de {name}"),
    stopScan: "Arrêter la caméra",
    same: "Les numéros sont les mêmes",
    sameHelp: "Sans caméra, lisez-vous les chiffres à voix haute.",
    unverify: "Retirer la marque",
    verified: filled(
      "Tu as comparé les numéros avec {name}, et on te demandera avant tout envoi s'ils changent un jour.",
    ),
    trusted: "Pas encore comparé. Les messages sont chiffrés quand même.",
    changed: filled("Le numéro de {name} a changé depuis vos premiers messages. Compare-le de nouveau pour être sûr."),
    blocked: filled(
      "Le numéro de {name} a changé depuis que tu l'as comparé. Rien ne part tant que tu n'as pas décidé.",
    ),
    unknown: filled("{name} n'a pas encore activé le chiffrement : il n'y a pas de numéro à comparer."),
    match: filled("C'est le même : c'est bien {name}, et personne n'est entre vous."),
    mismatch: filled(
      "Ce code n'est pas celui que {name} devrait avoir. C'est le code d'une autre personne, ou quelqu'un s'est glissé entre vous. N'écris rien de privé avant de savoir.",
    ),
    notACode: "Ce n'est pas le code d'un numéro de sécurité. Il se trouve sur cette même page, chez l'autre personne.",
    loading: "Calcul du numéro…",
    again: "Réessayer",
    compare: "Comparer",
    blockedTitle: filled("Est-ce toujours {name} ?"),
    blockedHelp:
      "Son numéro de sécurité n'est plus celui que tu as comparé. C'est souvent un nouveau téléphone ou navigateur, mais quelqu'un peut aussi se faire passer pour cette personne. Rien ne part tant que tu n'as pas décidé.",
    accept: "Accepter le nouveau numéro",
    acceptTitle: filled("Écrire à {name} avec le nouveau numéro ?"),
    acceptHelp:
      "Tu pourras le comparer plus tard. D'ici là, toi seul peux savoir si c'est bien cette personne : en cas de doute, demande-lui autrement.",
    accepted: "C'est accepté. Ce qui attendait est en route.",
  },
});
