import type { InstanceInvite } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { Copy, X } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { copyText } from "../../app/copy.ts";
import { errorText } from "../../app/errors.ts";
import { dateFormat } from "../../app/i18n.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { useOperatorCalls } from "./calls.ts";
import { LIFETIMES, LIFETIMES_S, type Lifetime, registerLink, USES, type Uses } from "./model.ts";
import { operatorWords } from "./words.ts";

const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });

/** Links to make an account. */
export function InvitesSection({ needed }: { readonly needed: boolean }) {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const invites = useSignal<readonly InstanceInvite[]>([]);
  const newest = useSignal<InstanceInvite | null>(null);
  const lifetime = useSignal<Lifetime>("week");
  const uses = useSignal<Uses>("1");
  const link = useRef<HTMLInputElement>(null);

  useEffect(() => {
    void task.run(async () => {
      ({ invites: invites.value } = await calls.call("listInstanceInvites"));
    });
  }, [calls]);

  function make(): void {
    void task.run(async () => {
      const maxUses = uses.peek() === "any" ? null : Number(uses.peek());
      const made = await calls.call("createInstanceInvite", {
        body: { expiresIn: LIFETIMES_S[lifetime.peek()], maxUses },
      });
      newest.value = made;
      invites.value = [made, ...invites.peek()];
    });
  }
  function revoke(code: string): void {
    void task.run(async () => {
      await calls.call("revokeInstanceInvite", { params: { code } });
      invites.value = invites.peek().filter((invite) => invite.code !== code);
      if (newest.peek()?.code === code) newest.value = null;
      say(operatorWords.value.revoked);
    });
  }

  const address = newest.value === null ? null : registerLink(newest.value.code);
  return (
    <section class="section">
      <h2>{words.invites}</h2>
      <p>{needed ? words.invitesLead : words.invitesIdle}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <div class="operator-options" role="group" aria-label={words.inviteOptions}>
        <SelectField
          label={words.expires}
          value={lifetime.value}
          options={LIFETIMES.map((value) => ({ value, label: words[value] }))}
          onValue={(value) => (lifetime.value = value)}
        />
        <SelectField
          label={words.uses}
          value={uses.value}
          options={USES.map((value) => ({
            value,
            label: value === "any" ? words.anyUses : words.usesCount(Number(value)),
          }))}
          onValue={(value) => (uses.value = value)}
        />
      </div>
      <div class="actions actions-start">
        <Button kind="primary" busy={task.busy.value} onClick={make}>
          {words.makeInvite}
        </Button>
      </div>
      {address !== null && (
        <div class="operator-link">
          <TextField label={words.inviteLink} readOnly inputRef={link} value={address} onValue={() => undefined} />
          <Button icon={Copy} onClick={() => void copyText(address, link.current)}>
            {appWords.value.copy}
          </Button>
        </div>
      )}
      <ul>
        {invites.value.map((invite) => (
          <li class="section-row" key={invite.code}>
            <div class="section-row-text">
              <code>{invite.code}</code>
              <span class="field-hint">
                {invite.expiresAt === null
                  ? words.forever
                  : words.until({ date: moment.value.format(new Date(invite.expiresAt)) })}
                {" · "}
                {invite.maxUses === null
                  ? words.used(invite.uses)
                  : words.usedOf({ uses: invite.uses, max: invite.maxUses })}
              </span>
            </div>
            <IconButton
              icon={Copy}
              label={words.copyCode({ code: invite.code })}
              onClick={() => void copyText(registerLink(invite.code))}
            />
            <IconButton icon={X} label={words.revokeCode({ code: invite.code })} onClick={() => revoke(invite.code)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
