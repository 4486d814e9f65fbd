import { useSignal } from "@preact/signals";
import { Copy, ShieldCheck } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { copyText } from "../../app/copy.ts";
import { errorText } from "../../app/errors.ts";
import { useTask } from "../../app/task.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { QrCode } from "../../ui/qr.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { TwoFactorOffDialog } from "./two-factor-off.tsx";
import { settingsWords } from "./words.ts";

type Step =
  | { readonly kind: "rest" }
  | { readonly kind: "scan"; readonly secret: string; readonly uri: string }
  /** Shown once: the server keeps only their hashes. */
  | { readonly kind: "codes"; readonly codes: readonly string[] };

/** Sign-in in two steps: off → scan and prove → recovery codes, once → on. */
export function TwoFactor() {
  const client = useClient();
  const self = useLive().self.value;
  const words = settingsWords.value;
  const task = useTask();
  const step = useSignal<Step>({ kind: "rest" });
  const turningOff = useSignal(false);
  const now = step.value;

  function begin(): void {
    void task.run(async () => {
      step.value = { kind: "scan", ...(await client.api.call("totpSetup")) };
    });
  }

  return (
    <section class="section">
      <h2>{words.twoFactor}</h2>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {now.kind === "codes" && (
        <RecoveryCodes
          codes={now.codes}
          onDone={() => {
            step.value = { kind: "rest" };
          }}
        />
      )}
      {now.kind === "scan" && (
        <Scan
          secret={now.secret}
          uri={now.uri}
          onEnabled={(codes) => {
            step.value = { kind: "codes", codes };
            client.setSelf({ ...self, totpEnabled: true });
          }}
        />
      )}
      {now.kind === "rest" && self.totpEnabled && (
        <>
          <Notice kind="positive">{words.twoFactorOn}</Notice>
          <div class="actions actions-start">
            <Button onClick={() => (turningOff.value = true)}>{words.twoFactorOffAction}</Button>
          </div>
        </>
      )}
      {now.kind === "rest" && !self.totpEnabled && (
        <>
          <p>{words.twoFactorOff}</p>
          <div class="actions actions-start">
            <Button icon={ShieldCheck} busy={task.busy.value} onClick={begin}>
              {words.twoFactorSetUp}
            </Button>
          </div>
        </>
      )}
      {turningOff.value && <TwoFactorOffDialog onClose={() => (turningOff.value = false)} />}
    </section>
  );
}

interface ScanProps {
  readonly secret: string;
  /** `otpauth://…`, drawn as a QR code. */
  readonly uri: string;
  readonly onEnabled: (recoveryCodes: readonly string[]) => void;
}

function Scan({ secret, uri, onEnabled }: ScanProps) {
  const client = useClient();
  const words = settingsWords.value;
  const task = useTask();
  const code = useSignal("");
  const checked = useSignal(false);
  const digits = code.value.replaceAll(/\s/g, "");
  const wrong = !/^[0-9]{6}$/.test(digits);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (wrong) return;
    await task.run(async () => {
      const { recoveryCodes } = await client.api.call("totpEnable", { body: { code: digits } });
      onEnabled(recoveryCodes);
    });
  }

  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      <div class="qr">
        <QrCode content={uri} label={words.qrCode} />
        <div class="form">
          <p>{words.twoFactorScan}</p>
          <div class="secret">
            <code aria-label={words.secret}>{secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code>
            <IconButton icon={Copy} label={words.copySecret} onClick={() => void copyText(secret)} />
          </div>
        </div>
      </div>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <TextField
        label={words.code}
        hint={words.codeHint}
        inputMode="numeric"
        autocomplete="one-time-code"
        value={code.value}
        onValue={(text) => {
          code.value = text;
          checked.value = false;
        }}
        error={checked.value && wrong ? words.codeWrong : undefined}
      />
      <div class="actions actions-start">
        <Button kind="primary" type="submit" busy={task.busy.value}>
          {words.confirm}
        </Button>
      </div>
    </form>
  );
}
