import type { Role, Server } from "@lescopains/protocol/entities";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { ChevronDown, Plus } from "lucide";
import { useClient, useLive } from "../../../app/client-context.ts";
import { errorText } from "../../../app/errors.ts";
import { standing } from "../../../app/rights.ts";
import { roleColor } from "../../../app/role-color.ts";
import { useTask } from "../../../app/task.ts";
import { Button } from "../../../ui/button.tsx";
import { TextField } from "../../../ui/field.tsx";
import { Icon } from "../../../ui/icon.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { rankedRoles } from "../model.ts";
import { RoleEditor } from "./role-editor.tsx";
import { serverSettingsWords } from "./words.ts";

/** The roles, highest first; each opens in place. */
export function RolesPage({ server }: { readonly server: Server }) {
  const live = useLive();
  const words = serverSettingsWords.value;
  const opened = useSignal<string | null>(null);
  const roles = rankedRoles(server.roles);
  const { members } = live.members(server.id).value;
  const own = standing(server, live.self.value.id, members);
  return (
    <section class="section">
      <p>{roles.length === 0 ? words.rolesNone : words.rolesLead}</p>
      <NewRole server={server} onMade={(role) => (opened.value = role.id)} />
      <div class="roles-list">
        {roles.map((role) => (
          <details
            key={role.id}
            class="role"
            open={opened.value === role.id}
            onToggle={(event) => {
              if (event.currentTarget.open) opened.value = role.id;
              else if (opened.peek() === role.id) opened.value = null;
            }}
          >
            <summary>
              <span class="role-dot" style={{ "--role": roleColor(role.color) ?? "var(--line-strong)" }} />
              <span class="role-name one-line">{role.name}</span>
              <span class="muted">
                {words.holders(members.filter((member) => member.roleIds.includes(role.id)).length)}
              </span>
              <Icon node={ChevronDown} size={18} />
            </summary>
            {opened.value === role.id && (
              <div class="role-body">
                {role.position < own ? <RoleEditor server={server} role={role} /> : <Notice>{words.tooHigh}</Notice>}
              </div>
            )}
          </details>
        ))}
      </div>
    </section>
  );
}

interface NewRoleProps {
  readonly server: Server;
  readonly onMade: (role: Role) => void;
}

function NewRole({ server, onMade }: NewRoleProps) {
  const client = useClient();
  const words = serverSettingsWords.value;
  const task = useTask();
  const name = useSignal("");

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const trimmed = name.value.trim();
    if (trimmed === "") return;
    await task.run(async () => {
      onMade(await client.api.call("createRole", { params: { id: server.id }, body: { name: trimmed } }));
      name.value = "";
    });
  }

  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <div class="role-new">
        <TextField
          label={words.newRole}
          placeholder={words.roleName}
          maxLength={LIMITS.roleNameMax}
          autocomplete="off"
          value={name.value}
          onValue={(text) => (name.value = text)}
        />
        <Button type="submit" icon={Plus} busy={task.busy.value}>
          {words.createRole}
        </Button>
      </div>
    </form>
  );
}
