import type { Member, Role, Server } from "@lescopains/protocol/entities";
import { LIMITS } from "@lescopains/protocol/limits";
import type { RolePatch } from "@lescopains/protocol/rest";
import { useSignal } from "@preact/signals";
import { ArrowDown, ArrowUp, Trash2 } from "lucide";
import { useId } from "preact/hooks";
import { useClient, useLive } from "../../../app/client-context.ts";
import { Confirm } from "../../../app/confirm.tsx";
import { errorText } from "../../../app/errors.ts";
import { standing } from "../../../app/rights.ts";
import { roleColor } from "../../../app/role-color.ts";
import { useTask } from "../../../app/task.ts";
import { appWords } from "../../../app/words.ts";
import { Button } from "../../../ui/button.tsx";
import { Switch, TextField } from "../../../ui/field.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { say } from "../../../ui/toasts.tsx";
import { membersFor, rankedRoles, ROLE_COLORS, withPermission } from "../model.ts";
import { PermissionSwitches } from "./permission-switches.tsx";
import { serverSettingsWords } from "./words.ts";

/** People shown at once under "who has it". */
const PEOPLE_SHOWN = 8;

interface RoleEditorProps {
  readonly server: Server;
  readonly role: Role;
}

/** One role: name, colour, rights, holders, rank. The name is saved by its button, everything else at once. */
export function RoleEditor({ server, role }: RoleEditorProps) {
  const client = useClient();
  const live = useLive();
  const words = serverSettingsWords.value;
  const task = useTask();
  const name = useSignal(role.name);
  const deleting = useSignal(false);
  const params = { id: server.id, roleId: role.id };
  const trimmed = name.value.trim();
  const own = standing(server, live.self.value.id, live.members(server.id).value.members);
  const ranked = rankedRoles(server.roles);
  const index = ranked.findIndex(({ id }) => id === role.id);
  const above = ranked[index - 1];
  const below = ranked[index + 1];

  async function patch(body: RolePatch): Promise<boolean> {
    return task.run(async () => {
      await client.api.call("patchRole", { params, body });
    });
  }

  return (
    <>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <form
        class="role-new"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (trimmed === "" || trimmed === role.name) return;
          void patch({ name: trimmed }).then((done) => {
            if (done) say(appWords.value.saved);
            return done;
          });
        }}
      >
        <TextField
          label={words.roleName}
          maxLength={LIMITS.roleNameMax}
          autocomplete="off"
          value={name.value}
          onValue={(text) => (name.value = text)}
        />
        <Button type="submit" disabled={trimmed === "" || trimmed === role.name}>
          {appWords.value.save}
        </Button>
      </form>
      <ColorChoice color={role.color} onChoose={(color) => void patch({ color })} />
      <PermissionSwitches
        permissions={role.permissions}
        ownPermissions={server.permissions}
        disabled={task.busy.value}
        onChange={(permission, on) => void patch({ permissions: withPermission(role.permissions, permission, on) })}
      />
      <RoleMembers server={server} role={role} />
      <div class="actions actions-start">
        <Button
          icon={ArrowUp}
          disabled={above === undefined || above.position >= own}
          onClick={() => above !== undefined && void patch({ position: above.position })}
        >
          {words.moveUp}
        </Button>
        <Button
          icon={ArrowDown}
          disabled={below === undefined}
          onClick={() => below !== undefined && void patch({ position: below.position })}
        >
          {words.moveDown}
        </Button>
        <Button kind="danger-quiet" icon={Trash2} onClick={() => (deleting.value = true)}>
          {words.deleteRole}
        </Button>
      </div>
      {deleting.value && (
        <Confirm
          title={words.deleteRoleTitle({ name: role.name })}
          action={words.deleteRole}
          onClose={() => (deleting.value = false)}
          onConfirm={async () => {
            await client.api.call("deleteRole", { params });
          }}
        >
          <p>{words.deleteRoleHelp}</p>
        </Confirm>
      )}
    </>
  );
}

interface ColorChoiceProps {
  readonly color: number | null;
  readonly onChoose: (color: number | null) => void;
}

function ColorChoice({ color, onChoose }: ColorChoiceProps) {
  const words = serverSettingsWords.value;
  const group = useId();
  return (
    <fieldset class="swatches">
      <legend>{words.color}</legend>
      <label class="swatch swatch-none">
        <input type="radio" name={group} checked={color === null} onChange={() => onChoose(null)} />
        {words.noColor}
      </label>
      {ROLE_COLORS.map((one, index) => (
        <label class="swatch" key={one} style={{ "--role": roleColor(one) ?? "" }}>
          <input
            type="radio"
            name={group}
            aria-label={words.colorNumber({ number: index + 1 })}
            checked={color === one}
            onChange={() => onChoose(one)}
          />
        </label>
      ))}
    </fieldset>
  );
}

function RoleMembers({ server, role }: RoleEditorProps) {
  const client = useClient();
  const live = useLive();
  const words = serverSettingsWords.value;
  const task = useTask();
  const typed = useSignal("");
  const { members } = live.members(server.id).value;

  function change(member: Member, has: boolean): void {
    const roleIds = has ? [...member.roleIds, role.id] : member.roleIds.filter((id) => id !== role.id);
    void task.run(async () => {
      await client.api.call("patchMember", { params: { id: server.id, userId: member.user.id }, body: { roleIds } });
    });
  }

  return (
    <div class="permission-group">
      <h2>{words.whoHas}</h2>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {members.length > PEOPLE_SHOWN && (
        <TextField
          label={words.findPerson}
          type="search"
          autocomplete="off"
          value={typed.value}
          onValue={(text) => (typed.value = text)}
        />
      )}
      {membersFor(role, members, typed.value, PEOPLE_SHOWN).map((member) => (
        <Switch
          key={member.user.id}
          label={member.user.displayName}
          hint={`@${member.user.username}`}
          checked={member.roleIds.includes(role.id)}
          disabled={task.busy.value}
          onChecked={(has) => change(member, has)}
        />
      ))}
    </div>
  );
}
