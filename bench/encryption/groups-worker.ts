import { webCryptoSha512 } from "@lescopains/e2ee/safety-number/sha512";
import { engineGroups, makeAccounts, measureGroups } from "./groups.ts";

/** Runs in a worker of the browser and posts one message: the samples, or why there are none. */
try {
  const subject = await engineGroups(webCryptoSha512(crypto.subtle));
  postMessage({ samples: await measureGroups(subject, await makeAccounts()) });
} catch (error) {
  postMessage({ error: String(error) });
}
