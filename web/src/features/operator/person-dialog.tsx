import type { OperatorUser, OperatorUserPatch } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { useClient } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { errorText } from "../../app/errors.ts";
import { dateFormat } from "../../app/i18n.ts";
import { InviteLink } from "../../app/invites/link.tsx";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { useOperatorCalls } from "./calls.ts";
import { resetLink } from "./model.ts";
import { operatorWords } from "./words.ts";

const day = dateFormat({ dateStyle: "medium" });

type Change = OperatorUserPatch["change"];

interface PersonDialogProps {
  readonly person: OperatorUser;
  /** The account as it is now; null: it was deleted. */
  readonly onChanged: (now: OperatorUser | null) => void;
  readonly onClose: () => void;
}

/** One account: what is known of it, and what an operator may do. Whatever takes something away is asked about first. */
export function PersonDialog({ person, onChanged, onClose }: PersonDialogProps) {
  const session = useClient().session.value;
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const asking = useSignal<Change | "delete" | "passwordLink" | null>(null);
  /** Shown this once: nobody has it but who made it. */
  const link = useSignal<string | null>(null);
  const name = person.displayName;
  const own = session.kind === "signedIn" && session.user.id === person.id;

  async function change(what: Change): Promise<void> {
    onChanged(await calls.call("patchAccount", { params: { id: person.id }, body: { change: what } }));
    say(operatorWords.value.done);
  }
  async function remove(): Promise<void> {
    await calls.call("deleteAccount", { params: { id: person.id }, body: { ownedServers: person.ownedServers } });
    say(operatorWords.value.deleted({ name }));
    onChanged(null);
  }

  async function makeLink(): Promise<void> {
    const { secret } = await calls.call("makePasswordLink", { params: { id: person.id } });
    link.value = resetLink(secret);
  }
  function act(what: NonNullable<typeof asking.value>): Promise<void> {
    if (what === "delete") return remove();
    return what === "passwordLink" ? makeLink() : change(what);
  }

  const question = asking.value;
  if (question !== null) {
    const isDelete = question === "delete";
    return (
      <Confirm
        title={words[`${question}Title`]({ name })}
        action={words[question]}
        onConfirm={() => act(question)}
        onClose={() => (asking.value = null)}
      >
        <p>{words[`${question}Help`]}</p>
        {question === "passwordLink" && <p>{words.passwordLinkKeys}</p>}
        {question === "disable" && person.operator && <p>{words.disableOperator}</p>}
        {question === "disable" && person.ownedServers > 0 && <p>{words.disableOwner(person.ownedServers)}</p>}
        {isDelete && person.ownedServers > 0 && (
          <Notice kind="danger">{words.deleteServers(person.ownedServers)}</Notice>
        )}
      </Confirm>
    );
  }
  return (
    <Dialog title={name} closeLabel={appWords.value.close} onClose={onClose}>
      <dl class="facts">
        <dt>{words.username}</dt>
        <dd>{person.username}</dd>
        <dt>{words.email}</dt>
        <dd>{person.email ?? words.none}</dd>
        <dt>{words.since}</dt>
        <dd>{day.value.format(new Date(person.createdAt))}</dd>
        <dt>{words.twoFactor}</dt>
        <dd>{person.totpEnabled ? words.on : words.off}</dd>
        <dt>{words.ownedServers}</dt>
        <dd>{person.ownedServers}</dd>
      </dl>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {link.value !== null && (
        <>
          <InviteLink label={words.passwordLinkLabel({ name })} address={link.value} />
          <Notice>{words.passwordLinkOnce}</Notice>
        </>
      )}
      <div class="person-actions">
        {!person.disabled && !person.operator && (
          <Button onClick={() => (asking.value = "promote")}>{words.promote}</Button>
        )}
        {person.operator && <Button onClick={() => (asking.value = "demote")}>{words.demote}</Button>}
        {person.totpEnabled && <Button onClick={() => (asking.value = "resetTotp")}>{words.resetTotp}</Button>}
        {!person.disabled && !person.operator && !own && (
          <Button onClick={() => (asking.value = "passwordLink")}>{words.passwordLink}</Button>
        )}
        {person.disabled && (
          <Button busy={task.busy.value} onClick={() => void task.run(() => change("enable"))}>
            {words.enable}
          </Button>
        )}
        {!person.disabled && !own && (
          <Button kind="danger-quiet" onClick={() => (asking.value = "disable")}>
            {words.disable}
          </Button>
        )}
        {!person.operator && !own && (
          <Button kind="danger-quiet" onClick={() => (asking.value = "delete")}>
            {words.delete}
          </Button>
        )}
      </div>
    </Dialog>
  );
}
