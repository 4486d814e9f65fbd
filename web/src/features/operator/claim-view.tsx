import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { LanguageSwitch } from "../../app/language-switch.tsx";
import { dropLinkSecret, useLinkSecret } from "../../app/link-secret.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Wordmark } from "../../ui/wordmark.tsx";
import { useOperatorCalls } from "./calls.ts";
import { claimPlace } from "./claim.ts";
import "./view.css";
import { operatorWords } from "./words.ts";

/** Where the link of the first start leads: visitors make an account first, and come back here; then one press, and the place is theirs to run. */
export function ClaimView() {
  const client = useClient();
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const session = client.session.value;
  const secret = useLinkSecret("claim");
  useTitle(words.claimTitle);
  const isOperator = session.kind === "signedIn" && session.user.operator;
  useEffect(() => {
    if (isOperator) navigate(href({ name: "operator", page: null }), { replace: true });
  }, [isOperator]);

  function claim(): void {
    void task.run(async () => {
      const self = await claimPlace({
        claim: () => calls.call("claimInstance", { body: { secret: secret.peek() ?? "" } }),
        readSelf: () => client.api.call("getSelf"),
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      });
      client.setSelf(self);
      dropLinkSecret("claim");
    });
  }

  const next = encodeURIComponent(href({ name: "claim" }));
  return (
    <main class="claim">
      <div class="claim-card">
        <Wordmark />
        <h1 tabIndex={-1}>{secret.value === undefined ? words.claimNone : words.claimTitle}</h1>
        <p class="muted">{secret.value === undefined ? words.claimNoneHelp : words.claimLead}</p>
        {task.error.value !== null && (
          <Notice kind="danger">
            {task.error.value.code === "forbidden" ? words.claimOver : errorText(task.error.value)}
          </Notice>
        )}
        {secret.value === undefined ? (
          <a class="button button-primary" href="/">
            {appWords.value.goHome}
          </a>
        ) : session.kind === "signedIn" ? (
          <Button kind="primary" wide busy={task.busy.value} onClick={claim}>
            {words.claim({ name: session.user.username })}
          </Button>
        ) : (
          <div class="form">
            <a class="button button-primary" href={`/register?next=${next}`}>
              {words.claimRegister}
            </a>
            <a class="button button-plain" href={`/login?next=${next}`}>
              {words.claimLogin}
            </a>
          </div>
        )}
        {session.kind !== "signedIn" && <LanguageSwitch />}
      </div>
    </main>
  );
}
