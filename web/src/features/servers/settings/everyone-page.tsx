import type { Server } from "@lescopains/protocol/entities";
import { useClient } from "../../../app/client-context.ts";
import { errorText } from "../../../app/errors.ts";
import { useTask } from "../../../app/task.ts";
import { Notice } from "../../../ui/notice.tsx";
import { withPermission } from "../model.ts";
import { PermissionSwitches } from "./permission-switches.tsx";
import { serverSettingsWords } from "./words.ts";

/** The default role: what holds for all members. Each switch takes effect at once. */
export function EveryonePage({ server }: { readonly server: Server }) {
  const client = useClient();
  const words = serverSettingsWords.value;
  const task = useTask();
  const role = server.roles.find(({ isDefault }) => isDefault);
  if (role === undefined) return null;
  return (
    <section class="section">
      <p>{words.everyoneLead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <PermissionSwitches
        permissions={role.permissions}
        ownPermissions={server.permissions}
        disabled={task.busy.value}
        onChange={(permission, on) =>
          void task.run(async () => {
            const body = { permissions: withPermission(role.permissions, permission, on) };
            await client.api.call("patchRole", { params: { id: server.id, roleId: role.id }, body });
          })
        }
      />
    </section>
  );
}
