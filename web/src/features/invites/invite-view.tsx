import type { InvitePreview } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { LanguageSwitch } from "../../app/language-switch.tsx";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { appWords } from "../../app/words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Wordmark } from "../../ui/wordmark.tsx";
import "./view.css";
import { inviteWords } from "./words.ts";

export interface InviteViewProps {
  readonly code: string;
  readonly signedIn: boolean;
}

/** Where an invite leads: told to members of the house, who may then join; visitors sign in first and come back here. */
export function InviteView({ code, signedIn }: InviteViewProps) {
  const words = inviteWords.value;
  useTitle(words.invitedTo);
  return (
    <main class="invite-page">
      <div class="invite-card">{signedIn ? <Preview code={code} /> : <Visitor code={code} />}</div>
    </main>
  );
}

function Visitor({ code }: { readonly code: string }) {
  const words = inviteWords.value;
  const next = encodeURIComponent(href({ name: "invite", code }));
  return (
    <>
      <Wordmark />
      <h1 tabIndex={-1}>{words.visitorTitle}</h1>
      <p class="muted">{words.visitorHelp}</p>
      <div class="form">
        <a class="button button-primary" href={`/register?next=${next}`}>
          {words.register}
        </a>
        <a class="button button-plain" href={`/login?next=${next}`}>
          {words.login}
        </a>
      </div>
      <LanguageSwitch />
    </>
  );
}

function Preview({ code }: { readonly code: string }) {
  const client = useClient();
  const words = inviteWords.value;
  const preview = useSignal<InvitePreview | null>(null);
  const looking = useTask();
  const joining = useTask();

  function look(): void {
    void looking.run(async () => {
      preview.value = await client.api.call("getInvite", { params: { code } });
    });
  }
  useEffect(look, [client, code]);

  const refusal = looking.error.value ?? joining.error.value;
  if (refusal !== null && ["invite_invalid", "invalid_request", "not_found"].includes(refusal.code)) {
    return (
      <>
        <h1 tabIndex={-1}>{words.expired}</h1>
        <p class="muted">{words.expiredHelp}</p>
        <a class="button button-primary" href="/">
          {appWords.value.goHome}
        </a>
      </>
    );
  }
  const found = preview.value;
  if (found === null) {
    return (
      <>
        <h1 tabIndex={-1}>{words.invitedTo}</h1>
        {refusal === null ? (
          <p role="status">{appWords.value.loading}</p>
        ) : (
          <>
            <Notice kind="danger">{errorText(refusal)}</Notice>
            <Button onClick={look}>{words.retry}</Button>
          </>
        )}
      </>
    );
  }
  return (
    <>
      <Avatar id={found.server.id} name={found.server.name} side={80} imageUrl={found.server.iconUrl} />
      <p class="muted">{words.invitedTo}</p>
      <h1 tabIndex={-1}>{found.server.name}</h1>
      <p class="muted">{words.members(found.server.memberCount)}</p>
      {joining.error.value !== null && <Notice kind="danger">{errorText(joining.error.value)}</Notice>}
      <div class="form">
        <Button
          kind="primary"
          wide
          busy={joining.busy.value}
          onClick={() =>
            void joining.run(async () => {
              const server = await client.api.call("joinInvite", { params: { code } });
              client.live.peek()?.putServer(server);
              navigate(href({ name: "server", serverId: server.id }), { replace: true });
            })
          }
        >
          {words.accept({ name: found.server.name })}
        </Button>
        <a class="button button-quiet" href="/">
          {words.notNow}
        </a>
      </div>
    </>
  );
}
