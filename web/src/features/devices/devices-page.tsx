import type { DeviceId } from "@lescopains/protocol/device-list";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { MonitorSmartphone, QrCode as QrIcon } from "lucide";
import { useEffect } from "preact/hooks";
import { agoText } from "../../app/ago-text.ts";
import { Confirm } from "../../app/confirm.tsx";
import { dateFormat } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { href } from "../../app/route.ts";
import { useTaskWith } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import type { OwnDeviceView } from "../../keys/port.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { deviceWords } from "./words.ts";

const day = dateFormat({ dateStyle: "medium" });

/** The browsers that hold the account's identity: this one first, then by when they were last here. */
export function DevicesPage() {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const renaming = useSignal<OwnDeviceView | null>(null);
  const revoking = useSignal<OwnDeviceView | null>(null);
  const device = keys.device.value;
  const load = (): void => {
    // Asked also while it loads: that answer may be of before the device was there.
    const loaded = keys.loadDevices();
    loaded.catch(() => undefined);
    void task.run(() => loaded);
  };
  useEffect(load, [keys, device.kind]);

  const list = keys.devices.value?.toSorted(
    (one, other) =>
      Number(other.current) - Number(one.current) || Date.parse(other.lastSeenAt) - Date.parse(one.lastSeenAt),
  );
  return (
    <section class="section">
      <p>{words.lead}</p>
      {device.kind !== "ready" && device.kind !== "starting" && (
        <Notice kind="caution">
          {device.kind === "failed" ? keysErrorText(device.refusal) : words.arriveTitle}{" "}
          <a href={href({ name: "dms" })}>{device.kind === "revoked" ? words.revokedAction : words.again}</a>
        </Notice>
      )}
      {task.error.value !== null && task.error.value.code !== "not_ready" && (
        <Notice kind="danger">
          {words.loadFailed} {keysErrorText(task.error.value)}{" "}
          <button type="button" class="text-button" onClick={load}>
            {words.again}
          </button>
        </Notice>
      )}
      {list === undefined && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <ul>
        {(list ?? []).map((one) => (
          <li class="section-row" key={one.deviceId}>
            <Icon node={MonitorSmartphone} />
            <div class="section-row-text">
              <span>
                {one.name}
                {one.current && <strong> · {words.thisOne}</strong>}
              </span>
              <span class="field-hint">
                {words.lastSeen({ when: agoText(one.lastSeenAt) })} ·{" "}
                <span class="unbroken">{words.addedOn({ date: day.value.format(new Date(one.createdAt)) })}</span>
              </span>
            </div>
            <Button aria-label={words.renameThis({ name: one.name })} onClick={() => (renaming.value = one)}>
              {words.rename}
            </Button>
            {!one.current && (
              <Button aria-label={words.revokeThis({ name: one.name })} onClick={() => (revoking.value = one)}>
                {words.revoke}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {device.kind === "ready" && (
        <div class="actions actions-start">
          <a class="button button-primary" href={href({ name: "approveDevice" })}>
            <Icon node={QrIcon} size={18} />
            {words.add}
          </a>
        </div>
      )}
      {renaming.value !== null && <RenameDialog device={renaming.value} onClose={() => (renaming.value = null)} />}
      {revoking.value !== null && <RevokeDialog device={revoking.value} onClose={() => (revoking.value = null)} />}
    </section>
  );
}

interface DeviceDialogProps {
  readonly device: OwnDeviceView;
  readonly onClose: () => void;
}

function RenameDialog({ device, onClose }: DeviceDialogProps) {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const name = useSignal(device.name);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (name.value.trim() === "") return;
    await task.run(async () => {
      await keys.port.ask("devices:rename", { deviceId: device.deviceId, name: name.value.trim() });
      await keys.loadDevices();
      onClose();
    });
  }

  return (
    <Dialog title={words.renameTitle} closeLabel={appWords.value.close} onClose={onClose}>
      <form class="form" noValidate onSubmit={(event) => void submit(event)}>
        {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
        <TextField
          label={words.name}
          hint={words.nameHint}
          maxLength={LIMITS.deviceNameMax}
          autocomplete="off"
          autofocus
          value={name.value}
          onValue={(text) => (name.value = text)}
        />
        <div class="actions">
          <Button kind="primary" type="submit" busy={task.busy.value} disabled={name.value.trim() === ""}>
            {appWords.value.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RevokeDialog({ device, onClose }: DeviceDialogProps) {
  const keys = useKeys();
  const words = deviceWords.value;
  const deviceIds: readonly DeviceId[] = [device.deviceId];
  return (
    <Confirm
      title={words.revokeTitle({ name: device.name })}
      action={words.revoke}
      onClose={onClose}
      onConfirm={async () => {
        await keys.port.ask("devices:revoke", { deviceIds });
        await keys.loadDevices();
        say(deviceWords.value.revoked({ name: device.name }));
      }}
    >
      <p>{words.revokeHelp}</p>
    </Confirm>
  );
}
