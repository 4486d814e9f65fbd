import { Switch } from "../../../ui/field.tsx";
import { holds, type ListedPermission, mayGive, PERMISSION_GROUPS } from "../model.ts";
import { serverSettingsWords } from "./words.ts";

interface PermissionSwitchesProps {
  /** The role's permissions, as on the wire. */
  readonly permissions: string;
  /** One's own in this place: what one doesn't have, one can't give. */
  readonly ownPermissions: string;
  readonly disabled: boolean;
  readonly onChange: (permission: ListedPermission, on: boolean) => void;
}

/** Each right with a plain description. */
export function PermissionSwitches({ permissions, ownPermissions, disabled, onChange }: PermissionSwitchesProps) {
  const words = serverSettingsWords.value;
  return (
    <div class="permission-groups">
      {PERMISSION_GROUPS.map((group) => (
        <div class="permission-group" key={group.id}>
          <h2>{words[group.id]}</h2>
          {group.permissions.map((permission) => (
            <Switch
              key={permission}
              label={words[permission]}
              hint={words[`${permission}Help`]}
              checked={holds(permissions, permission)}
              disabled={disabled || !mayGive(ownPermissions, permission)}
              onChecked={(on) => onChange(permission, on)}
            />
          ))}
        </div>
      ))}
    </div>
  );
}
