import type { Member, Role, Server } from "@lescopains/protocol/entities";
import type { RoleId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { Ban, MessageCircle, UserMinus } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { directWords } from "../../app/direct-words.ts";
import { errorText } from "../../app/errors.ts";
import { dateFormat } from "../../app/i18n.ts";
import { may, mayActOn, standing } from "../../app/rights.ts";
import { roleColor } from "../../app/role-color.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { statusWords } from "../../app/status-words.ts";
import { writeTo } from "../../app/write-to.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Switch, TextArea } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { memberWords } from "./words.ts";

const day = dateFormat({ dateStyle: "long" });

interface MemberDialogProps {
  readonly server: Server;
  readonly member: Member;
  readonly onClose: () => void;
}

/** One person in a place: who they are here, and what one may do about it. */
export function MemberDialog({ server, member, onClose }: MemberDialogProps) {
  const live = useLive();
  const client = useClient();
  const words = memberWords.value;
  const asking = useSignal<"kick" | "ban" | null>(null);
  const reason = useSignal("");
  const self = live.self.value;
  const members = live.members(server.id).value.members;
  const { user } = member;
  const params = { id: server.id, userId: user.id };
  const mayKick = mayActOn(server, self, member, members, "kickMembers");
  const mayBan = mayActOn(server, self, member, members, "banMembers");

  function gone(): void {
    say(memberWords.value.done({ name: user.displayName }));
    onClose();
  }

  if (asking.value === "kick") {
    return (
      <Confirm
        title={words.kickTitle({ name: user.displayName })}
        action={words.kick}
        onClose={() => (asking.value = null)}
        onConfirm={async () => {
          await client.api.call("removeMember", { params });
          gone();
        }}
      >
        <p>{words.kickHelp}</p>
      </Confirm>
    );
  }
  if (asking.value === "ban") {
    return (
      <Confirm
        title={words.banTitle({ name: user.displayName })}
        action={words.ban}
        onClose={() => (asking.value = null)}
        onConfirm={async () => {
          const text = reason.value.trim();
          await client.api.call("ban", { params, body: text === "" ? {} : { reason: text } });
          gone();
        }}
      >
        <p>{words.banHelp}</p>
        <TextArea
          label={words.banReason}
          optional={appWords.value.optional}
          hint={words.banReasonHint}
          maxLength={LIMITS.reasonMax}
          value={reason.value}
          onValue={(text) => (reason.value = text)}
        />
      </Confirm>
    );
  }
  return (
    <Dialog title={words.profile} closeLabel={appWords.value.close} onClose={onClose}>
      <div class="person">
        <Avatar id={user.id} name={user.displayName} side={64} status={member.status} />
        <div>
          <p class="person-name">{user.displayName}</p>
          <p class="person-sub">
            @{user.username} · {statusWords.value[member.status]}
            {self.id === user.id && ` · ${words.you}`}
          </p>
          {member.customStatus !== undefined && <p>{member.customStatus}</p>}
        </div>
      </div>
      <p class="person-sub">
        {words.joined({ date: day.value.format(new Date(member.joinedAt)) })}
        {server.ownerId === user.id && ` · ${words.owner}`}
      </p>
      {self.id !== user.id && <WriteButton userId={user.id} onClose={onClose} />}
      <MemberRoles server={server} member={member} />
      {(mayKick || mayBan) && (
        <div class="actions actions-start">
          {mayKick && (
            <Button kind="danger-quiet" icon={UserMinus} onClick={() => (asking.value = "kick")}>
              {words.kick}
            </Button>
          )}
          {mayBan && (
            <Button kind="danger-quiet" icon={Ban} onClick={() => (asking.value = "ban")}>
              {words.ban}
            </Button>
          )}
        </div>
      )}
    </Dialog>
  );
}

interface WriteButtonProps {
  readonly userId: UserId;
  readonly onClose: () => void;
}

/** Opens the direct conversation with the person. */
function WriteButton({ userId, onClose }: WriteButtonProps) {
  const client = useClient();
  const live = useLive();
  const task = useTask();
  return (
    <>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <Button
        kind="primary"
        icon={MessageCircle}
        busy={task.busy.value}
        onClick={() =>
          void task.run(async () => {
            await writeTo(client, live, [userId]);
            onClose();
          })
        }
      >
        {directWords.value.message}
      </Button>
    </>
  );
}

interface MemberRolesProps {
  readonly server: Server;
  readonly member: Member;
}

/** The person's roles; those below one's own can be given and taken back. */
function MemberRoles({ server, member }: MemberRolesProps) {
  const live = useLive();
  const client = useClient();
  const words = memberWords.value;
  const task = useTask();
  const members = live.members(server.id).value.members;
  const own = standing(server, live.self.value.id, members);
  const roles = server.roles.filter((role) => !role.isDefault).toSorted((one, other) => other.position - one.position);
  const mayGive = (role: Role): boolean => may(server.permissions, "manageRoles") && role.position < own;
  const held = roles.filter((role) => member.roleIds.includes(role.id));
  if (roles.length === 0) return null;

  function change(roleId: RoleId, has: boolean): void {
    const roleIds = has ? [...member.roleIds, roleId] : member.roleIds.filter((id) => id !== roleId);
    void task.run(async () => {
      await client.api.call("patchMember", { params: { id: server.id, userId: member.user.id }, body: { roleIds } });
    });
  }

  return (
    <div class="person-section">
      <h3>{words.roles}</h3>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {roles.some(mayGive) ? (
        roles.map((role) => (
          <Switch
            key={role.id}
            label={role.name}
            checked={member.roleIds.includes(role.id)}
            disabled={!mayGive(role) || task.busy.value}
            onChecked={(has) => change(role.id, has)}
          />
        ))
      ) : (
        <p class="role-tags">
          {held.length === 0 && words.noRoles}
          {held.map((role) => (
            <span class="role-tag" key={role.id}>
              <span class="role-dot" style={{ "--role": roleColor(role.color) ?? "var(--line-strong)" }} />
              {role.name}
            </span>
          ))}
        </p>
      )}
    </div>
  );
}
