import { useSignal } from "@preact/signals";
import { useKeys } from "../../app/keys.ts";
import { agoText } from "../../app/ago-text.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { href } from "../../app/route.ts";
import { useTaskWith } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import type { VaultState } from "../../keys/port.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { PasswordField } from "../../ui/field.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { passphraseProblem } from "./model.ts";
import { PassphraseFields } from "./passphrase-fields.tsx";
import "./recovery.css";
import { KeepKey, KeySheet } from "./recovery-key.tsx";
import { RecoverySetup } from "./recovery-setup.tsx";
import { recoveryWords } from "./recovery-words.ts";
import { RestoreForm } from "./restore-form.tsx";
import { deviceWords } from "./words.ts";

/** The backup of one's direct messages: whether there is one, how it stands, what opens it. */
export function RecoveryPage() {
  const keys = useKeys();
  const vault = keys.vault.value;
  const device = keys.device.value;
  /** A key just made stays on the screen until it was kept, whatever the state becomes. */
  const keeping = useSignal<"setup" | { readonly recoveryKey: string } | null>(null);

  if (device.kind !== "ready" && device.kind !== "starting") {
    return (
      <section class="section">
        <Notice kind="caution">
          {device.kind === "failed" ? keysErrorText(device.refusal) : deviceWords.value.arriveTitle}{" "}
          <a href={href({ name: "dms" })}>{deviceWords.value.again}</a>
        </Notice>
      </section>
    );
  }
  const done = (): void => {
    keeping.value = null;
    say(recoveryWords.value.confirmed);
  };
  if (keeping.value === "setup" || (keeping.value === null && vault.kind === "none")) {
    return (
      <section class="section">
        <RecoverySetup heading="h2" onMade={() => (keeping.value = "setup")} onDone={done} />
      </section>
    );
  }
  if (keeping.value !== null) {
    return (
      <section class="section">
        <KeepKey recoveryKey={keeping.value.recoveryKey} heading="h2" onDone={done} />
      </section>
    );
  }
  const keep = (recoveryKey: string): void => {
    keeping.value = { recoveryKey };
  };
  if (vault.kind === "locked") return <Locked passphrase={vault.passphrase} onMade={keep} />;
  if (vault.kind === "on") return <Status vault={vault} onMade={keep} />;
  return (
    <section class="section" aria-busy="true">
      <p class="aside-text">{appWords.value.loading}</p>
      <Skeleton width="100%" height="56px" />
    </section>
  );
}

interface LockedProps {
  readonly passphrase: boolean;
  readonly onMade: (recoveryKey: string) => void;
}

function Locked({ passphrase, onMade }: LockedProps) {
  const words = recoveryWords.value;
  return (
    <>
      <section class="section">
        <h2>{words.lockedTitle}</h2>
        <p>{words.lockedHelp}</p>
        <RestoreForm passphrase={passphrase} action={words.unlock} onDone={() => say(recoveryWords.value.unlocked)} />
      </section>
      <Replace onMade={onMade} />
    </>
  );
}

interface StatusProps {
  readonly vault: Extract<VaultState, { kind: "on" }>;
  readonly onMade: (recoveryKey: string) => void;
}

function Status({ vault, onMade }: StatusProps) {
  const keys = useKeys();
  const words = recoveryWords.value;
  const task = useTaskWith(asKeysRefusal);
  const shown = useSignal<string | null>(null);

  function show(then: (recoveryKey: string) => void): void {
    void task.run(async () => {
      const { recoveryKey } = await keys.port.ask("vault:show", {});
      then(recoveryKey);
    });
  }

  return (
    <>
      <section class="section">
        {vault.failure !== null && (
          <Notice kind="danger">{words.statusFailed({ why: keysErrorText(vault.failure) })}</Notice>
        )}
        {vault.confirmed ? (
          <Notice kind="positive">{words.statusOn}</Notice>
        ) : (
          <Notice kind="caution">
            {words.statusUnconfirmed}{" "}
            <button type="button" class="recovery-inline" onClick={() => show(onMade)}>
              {words.check}
            </button>
          </Notice>
        )}
        <p role="status">
          {vault.savedAtMs !== null && words.statusSaved({ when: agoText(new Date(vault.savedAtMs).toISOString()) })}{" "}
          {vault.waiting > 0 && words.statusWaiting(vault.waiting)}
        </p>
        {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
        {shown.value === null ? (
          <>
            <p>{words.showKeyHelp}</p>
            <div class="actions actions-start">
              <Button busy={task.busy.value} onClick={() => show((recoveryKey) => (shown.value = recoveryKey))}>
                {words.showKey}
              </Button>
            </div>
          </>
        ) : (
          <>
            <KeySheet recoveryKey={shown.value} />
            <div class="actions actions-start">
              <Button kind="quiet" onClick={() => (shown.value = null)}>
                {words.hideKey}
              </Button>
            </div>
          </>
        )}
      </section>
      <Passphrase on={vault.passphrase} />
      <Replace onMade={onMade} />
    </>
  );
}

function Passphrase({ on }: { readonly on: boolean }) {
  const keys = useKeys();
  const words = recoveryWords.value;
  const task = useTaskWith(asKeysRefusal);
  const setting = useSignal(false);
  const passphrase = useSignal("");
  const again = useSignal("");
  const checked = useSignal(false);

  async function save(next: string | null): Promise<void> {
    await task.run(async () => {
      await keys.port.ask("vault:passphrase", { passphrase: next });
      setting.value = false;
      passphrase.value = "";
      again.value = "";
      checked.value = false;
      say(next === null ? recoveryWords.value.phraseRemoved : recoveryWords.value.phraseSaved);
    });
  }

  return (
    <section class="section">
      <h2>{words.phraseTitle}</h2>
      <p>{on ? words.phraseOn : words.phraseOff}</p>
      {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
      {setting.value ? (
        <form
          class="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            checked.value = true;
            if (passphrase.value === "" || passphraseProblem(passphrase.value, again.value) !== null) return;
            void save(passphrase.value);
          }}
        >
          <PassphraseFields passphrase={passphrase} again={again} checked={checked.value} />
          <div class="actions actions-start">
            <Button kind="primary" type="submit" busy={task.busy.value} disabled={passphrase.value === ""}>
              {words.phraseSave}
            </Button>
            <Button kind="quiet" onClick={() => (setting.value = false)}>
              {appWords.value.cancel}
            </Button>
          </div>
        </form>
      ) : (
        <div class="actions actions-start">
          <Button onClick={() => (setting.value = true)}>{on ? words.phraseChange : words.phraseSet}</Button>
          {on && (
            <Button kind="danger-quiet" busy={task.busy.value} onClick={() => void save(null)}>
              {words.phraseRemove}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function Replace({ onMade }: { readonly onMade: (recoveryKey: string) => void }) {
  const words = recoveryWords.value;
  const asking = useSignal(false);
  return (
    <section class="section">
      <h2>{words.replaceTitle}</h2>
      <p>{words.replaceHelp}</p>
      <div class="actions actions-start">
        <Button kind="danger-quiet" onClick={() => (asking.value = true)}>
          {words.replace}
        </Button>
      </div>
      {asking.value && <ReplaceDialog onMade={onMade} onClose={() => (asking.value = false)} />}
    </section>
  );
}

interface ReplaceDialogProps {
  readonly onMade: (recoveryKey: string) => void;
  readonly onClose: () => void;
}

function ReplaceDialog({ onMade, onClose }: ReplaceDialogProps) {
  const keys = useKeys();
  const words = recoveryWords.value;
  const task = useTaskWith(asKeysRefusal);
  const password = useSignal("");
  const error = task.error.value;
  const wrong = error?.code === "wrong_password";
  return (
    <Dialog title={words.replaceConfirm} closeLabel={appWords.value.close} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (password.value === "") return;
          void task.run(async () => {
            const question = { password: password.value, passphrase: null };
            const { recoveryKey } = await keys.port.ask("vault:replace", question);
            onMade(recoveryKey);
            onClose();
          });
        }}
      >
        <p>{words.replaceHelp}</p>
        {error !== null && !wrong && <Notice kind="danger">{keysErrorText(error)}</Notice>}
        <PasswordField
          label={words.password}
          autocomplete="current-password"
          showLabel={deviceWords.value.showPassword}
          hideLabel={deviceWords.value.hidePassword}
          value={password.value}
          onValue={(text) => {
            password.value = text;
            task.clear();
          }}
          error={wrong ? keysErrorText(error) : undefined}
        />
        <div class="actions">
          <Button kind="quiet" onClick={onClose}>
            {appWords.value.cancel}
          </Button>
          <Button kind="danger" type="submit" busy={task.busy.value} disabled={password.value === ""}>
            {words.replace}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
