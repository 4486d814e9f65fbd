import { Copy, X } from "lucide";
import { IconButton } from "../../ui/button.tsx";
import { copyText } from "../copy.ts";
import { dateFormat } from "../i18n.ts";
import "./invites.css";
import { type AnyInvite, works } from "./model.ts";
import { inviteListWords } from "./words.ts";

const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });

interface InviteListProps {
  readonly invites: readonly AnyInvite[];
  readonly linkOf: (code: string) => string;
  readonly busy: boolean;
  readonly onRevoke: (code: string) => void;
}

/** The invites that still let someone in, each to be copied or ended. */
export function InviteList({ invites, linkOf, busy, onRevoke }: InviteListProps) {
  const words = inviteListWords.value;
  const alive = invites.filter((invite) => works(invite, Date.now()));
  if (alive.length === 0) return <p class="field-hint">{words.none}</p>;
  return (
    <ul class="invite-list">
      {alive.map(({ code, expiresAt, maxUses, uses }) => (
        <li class="invite-row" key={code}>
          <div class="invite-row-text">
            <p class="invite-code one-line">{code}</p>
            <p class="field-hint">
              {expiresAt === null ? words.forever : words.until({ date: moment.value.format(new Date(expiresAt)) })}
              {" · "}
              {maxUses === null ? words.used(uses) : words.usedOf({ uses, max: maxUses })}
            </p>
          </div>
          <IconButton icon={Copy} label={words.copyCode({ code })} onClick={() => void copyText(linkOf(code))} />
          <IconButton icon={X} label={words.revokeCode({ code })} disabled={busy} onClick={() => onRevoke(code)} />
        </li>
      ))}
    </ul>
  );
}
