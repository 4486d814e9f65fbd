/** Changing what voice nodes prove themselves by, while calls go on (docs/operating-edge.md, docs/self-hosting.md). */
import { forgetSfuSecret, renewSfuSecret } from "../stack/secrets.ts";

const changes = ["renew-secret", "forget-secret"] as const;
export type Change = (typeof changes)[number];

export function isChange(verb: string): verb is Change {
  return changes.some((change) => change === verb);
}

/** Changes secrets.json and answers what is to be done now; an OperatorError says why it does not. */
export function changeSecret(change: Change, dataDir: string): string {
  if (change === "renew-secret") {
    renewSfuSecret(dataDir);
    return "A new secret for voice nodes is made. Start the edge again (or deploy it), then give each node the new one; the one of before is taken until you say forget-secret.";
  }
  forgetSfuSecret(dataDir);
  return "The secret of before is forgotten. Start the edge again (or deploy it): whoever has only that one is refused then.";
}
