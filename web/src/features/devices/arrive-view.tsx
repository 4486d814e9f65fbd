import { useSignal } from "@preact/signals";
import { ArrowLeft, ChevronRight, Copy, KeyRound, QrCode as QrIcon, RotateCcw, type IconNode } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { copyText } from "../../app/copy.ts";
import { dateFormat } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { useTaskWith } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import type { DeviceState } from "../../keys/port.ts";
import { Button } from "../../ui/button.tsx";
import { PasswordField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { QrCode } from "../../ui/qr.tsx";
import { say } from "../../ui/toasts.tsx";
import "./arrive.css";
import { RestoreForm } from "./restore-form.tsx";
import { RestoreProgress } from "./restore-progress.tsx";
import { deviceWords } from "./words.ts";

/** Stands in the place of direct messages until this browser can read them: says why it can't, and offers what helps. */
export function ArriveView() {
  const device = useKeys().device.value;
  useTitle(titleOf(device));
  return (
    <div class="arrive">
      <div class="arrive-content">
        <Body device={device} />
      </div>
    </div>
  );
}

function titleOf(device: DeviceState): string {
  const words = deviceWords.value;
  switch (device.kind) {
    case "identityElsewhere":
      return device.replaced ? words.replacedTitle : words.arriveTitle;
    case "revoked":
      return words.revokedTitle;
    case "failed":
      return words.failedTitle;
    default:
      return words.startingTitle;
  }
}

function Body({ device }: { readonly device: DeviceState }) {
  switch (device.kind) {
    case "identityElsewhere":
      return <Ways device={device} />;
    case "revoked":
      return <Revoked />;
    case "failed":
      return <Failed device={device} />;
    default:
      return (
        <>
          <h1 tabIndex={-1}>{deviceWords.value.startingTitle}</h1>
          <Skeleton width="100%" height="72px" />
          <Skeleton width="100%" height="72px" />
        </>
      );
  }
}

function Failed({ device }: { readonly device: Extract<DeviceState, { kind: "failed" }> }) {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  return (
    <>
      <h1 tabIndex={-1}>{words.failedTitle}</h1>
      <Notice kind="danger">{keysErrorText(device.refusal)}</Notice>
      <div class="actions actions-start">
        <Button
          kind="primary"
          busy={task.busy.value}
          onClick={() => void task.run(async () => void (await keys.port.ask("device:retry", {})))}
        >
          {words.again}
        </Button>
      </div>
    </>
  );
}

function Revoked() {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);

  async function beginAgain(): Promise<void> {
    await keys.port.ask("device:forget", { revoke: false });
    // A device begins with its page.
    location.reload();
  }

  return (
    <>
      <h1 tabIndex={-1}>{words.revokedTitle}</h1>
      <p class="arrive-lead">{words.revokedHelp}</p>
      {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
      <div class="actions actions-start">
        <Button kind="primary" busy={task.busy.value} onClick={() => void task.run(beginAgain)}>
          {words.revokedAction}
        </Button>
      </div>
    </>
  );
}

type Way = "device" | "key" | "over";

function Ways({
  device: { replaced, vault, passphrase },
}: {
  readonly device: Extract<DeviceState, { kind: "identityElsewhere" }>;
}) {
  const words = deviceWords.value;
  const way = useSignal<Way | null>(null);
  const back = useRef<Way | null>(null);
  const content = useRef<HTMLDivElement>(null);

  // The focus goes where the reader goes: into the way, and back to its button.
  useEffect(() => {
    const target =
      way.value === null
        ? content.current?.querySelector<HTMLElement>(`[data-way="${back.current ?? ""}"]`)
        : (content.current?.querySelector<HTMLElement>("[data-autofocus]") ??
          content.current?.querySelector<HTMLElement>("h2"));
    if (back.current !== null || way.value !== null) target?.focus();
    back.current = way.value;
  }, [way.value]);

  return (
    <>
      <h1 tabIndex={-1}>{replaced ? words.replacedTitle : words.arriveTitle}</h1>
      {replaced && <Notice kind="danger">{words.replacedWarning}</Notice>}
      <p class="arrive-lead">{replaced ? words.replacedLead : words.arriveLead}</p>
      <div class="arrive-ways" ref={content}>
        {way.value === null ? (
          <>
            <WayButton
              way="device"
              icon={QrIcon}
              title={words.byDevice}
              help={words.byDeviceHelp}
              onChoose={() => (way.value = "device")}
            />
            {vault ? (
              <WayButton
                way="key"
                icon={KeyRound}
                title={passphrase ? words.byKeyOrPhrase : words.byKey}
                help={words.byKeyHelp}
                onChoose={() => (way.value = "key")}
              />
            ) : (
              <p class="arrive-none">
                <Icon node={KeyRound} />
                {words.noKey}
              </p>
            )}
            <WayButton
              way="over"
              icon={RotateCcw}
              title={words.over}
              help={words.overHelp}
              onChoose={() => (way.value = "over")}
            />
          </>
        ) : (
          <section class="arrive-way">
            {way.value === "device" && <ByDevice />}
            {way.value === "key" && (
              <>
                <h2 tabIndex={-1}>{passphrase ? words.byKeyOrPhrase : words.keyTitle}</h2>
                <RestoreForm
                  passphrase={passphrase}
                  action={words.restore}
                  onDone={(messages) => say(deviceWords.value.brought(messages))}
                />
              </>
            )}
            {way.value === "over" && <StartOver />}
            <div class="actions actions-start">
              <Button kind="quiet" icon={ArrowLeft} onClick={() => (way.value = null)}>
                {words.backToWays}
              </Button>
            </div>
          </section>
        )}
      </div>
    </>
  );
}

interface WayButtonProps {
  readonly way: Way;
  readonly icon: IconNode;
  readonly title: string;
  readonly help: string;
  readonly onChoose: () => void;
}

function WayButton({ way, icon, title, help, onChoose }: WayButtonProps) {
  return (
    <button type="button" class="arrive-choice" data-way={way} onClick={onChoose}>
      <span class="arrive-picture">
        <Icon node={icon} size={22} />
      </span>
      <span class="arrive-choice-text">
        <strong>{title}</strong>
        <span>{help}</span>
      </span>
      <Icon node={ChevronRight} />
    </button>
  );
}

const timeOfDay = dateFormat({ hour: "2-digit", minute: "2-digit" });

/** Shows a code and waits for the browser that reads it. */
function ByDevice() {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const handoff = keys.handoff.value;

  function begin(): void {
    void task.run(async () => {
      keys.handoff.value = await keys.port.ask("handoff:begin", {});
    });
  }
  useEffect(() => {
    begin();
    return () => {
      const state = keys.handoff.peek();
      if (state?.kind === "receiving" || state?.kind === "done") return;
      keys.handoff.value = null;
      keys.port.ask("handoff:cancel", {}).catch(() => undefined);
    };
  }, [keys]);

  const refusal = handoff?.kind === "failed" ? handoff.refusal : task.error.value;
  return (
    <>
      <h2 tabIndex={-1}>{words.codeTitle}</h2>
      <ol class="arrive-steps">
        <li>{words.codeStep1}</li>
        <li>{words.codeStep2}</li>
        <li>{words.codeStep3}</li>
      </ol>
      {refusal !== null && (
        <>
          <Notice kind="danger">{keysErrorText(refusal)}</Notice>
          <Button onClick={begin}>{words.codeNew}</Button>
        </>
      )}
      {handoff === null && refusal === null && <Skeleton width="192px" height="192px" />}
      {handoff?.kind === "waiting" && (
        <div class="arrive-code">
          <QrCode content={handoff.code} label={words.code} />
          <div>
            <p role="status">
              <span class="spinner" aria-hidden="true" /> {words.codeWaiting}
            </p>
            <p class="arrive-lead">{words.codeUntil({ time: timeOfDay.value.format(new Date(handoff.expiresAt)) })}</p>
            <Button icon={Copy} onClick={() => void copyText(handoff.code)}>
              {words.codeCopy}
            </Button>
          </div>
        </div>
      )}
      {handoff?.kind === "receiving" && <RestoreProgress label={words.receiving} />}
      {handoff?.kind === "done" && <Notice kind="positive">{words.done}</Notice>}
    </>
  );
}

/** A new identity in place of the account's, once what is lost was read and the password given. */
function StartOver() {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const password = useSignal("");
  const error = task.error.value;
  const wrong = error?.code === "wrong_password";

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (password.value === "") return;
    await task.run(async () => {
      await keys.port.ask("device:startOver", { password: password.value });
    });
  }

  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      <h2 tabIndex={-1}>{words.overTitle}</h2>
      <div class="arrive-toll">
        <div>
          <h3>{words.overLoses}</h3>
          <ul>
            <li>{words.overLose1}</li>
            <li>{words.overLose2}</li>
            <li>{words.overLose3}</li>
          </ul>
        </div>
        <div>
          <h3>{words.overKeeps}</h3>
          <ul>
            <li>{words.overKeep1}</li>
            <li>{words.overKeep2}</li>
          </ul>
        </div>
      </div>
      {error !== null && !wrong && <Notice kind="danger">{keysErrorText(error)}</Notice>}
      <PasswordField
        label={words.password}
        autocomplete="current-password"
        showLabel={words.showPassword}
        hideLabel={words.hidePassword}
        value={password.value}
        onValue={(text) => {
          password.value = text;
          task.clear();
        }}
        error={wrong ? keysErrorText(error) : undefined}
      />
      <div class="actions actions-start">
        <Button kind="danger" type="submit" busy={task.busy.value} disabled={password.value === ""}>
          {words.overAction}
        </Button>
      </div>
    </form>
  );
}
