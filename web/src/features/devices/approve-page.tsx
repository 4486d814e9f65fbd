import { useSignal } from "@preact/signals";
import { ScanQrCode, X } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { href } from "../../app/route.ts";
import { Scanner } from "../../app/scanner.tsx";
import { useTaskWith } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { deviceWords } from "./words.ts";

type Step =
  | { readonly kind: "read" }
  /** A code of this account was read; the person says whether it is theirs. */
  | { readonly kind: "ask"; readonly code: string }
  | { readonly kind: "done" };

/** Lets a new browser in: reads the code it shows, asks whether it is one's own, gives it the identity. */
export function ApprovePage() {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const step = useSignal<Step>({ kind: "read" });
  const scanning = useSignal(false);
  const pasted = useSignal("");
  const heading = useRef<HTMLHeadingElement>(null);
  const now = step.value;
  const error = task.error.value;
  const wrong = error?.code === "code_invalid" && now.kind === "read";
  useEffect(() => {
    if (now.kind !== "read") heading.current?.focus();
  }, [now.kind]);

  function check(code: string): void {
    void task.run(async () => {
      await keys.port.ask("handoff:check", { code });
      scanning.value = false;
      step.value = { kind: "ask", code };
    });
  }

  if (now.kind === "done") {
    return (
      <section class="section">
        <h2 ref={heading} tabIndex={-1}>
          {words.approveTitle}
        </h2>
        <Notice kind="positive">{words.approveDone}</Notice>
        <div class="actions actions-start">
          <a class="button button-primary" href={href({ name: "settings", page: "devices" })} data-replace="">
            {appWords.value.back}
          </a>
          <Button
            kind="quiet"
            onClick={() => {
              pasted.value = "";
              step.value = { kind: "read" };
            }}
          >
            {words.approveAgain}
          </Button>
        </div>
      </section>
    );
  }

  if (now.kind === "ask") {
    return (
      <section class="section">
        <h2 ref={heading} tabIndex={-1}>
          {words.approveAskTitle}
        </h2>
        <Notice kind="caution">{words.approveAskHelp}</Notice>
        {error !== null && <Notice kind="danger">{keysErrorText(error)}</Notice>}
        <div class="actions actions-start">
          <Button kind="quiet" onClick={() => (step.value = { kind: "read" })}>
            {appWords.value.cancel}
          </Button>
          <Button
            kind="primary"
            busy={task.busy.value}
            onClick={() =>
              void task.run(async () => {
                await keys.port.ask("handoff:approve", { code: now.code });
                step.value = { kind: "done" };
              })
            }
          >
            {words.approve}
          </Button>
        </div>
      </section>
    );
  }

  return (
    <section class="section">
      <h2>{words.approveTitle}</h2>
      <p>{words.approveLead}</p>
      <div class="actions actions-start">
        <Button
          kind={scanning.value ? "plain" : "primary"}
          icon={scanning.value ? X : ScanQrCode}
          aria-pressed={scanning.value}
          onClick={() => (scanning.value = !scanning.peek())}
        >
          {scanning.value ? words.approveStop : words.approveScan}
        </Button>
      </div>
      {scanning.value && <Scanner onCode={({ text }) => check(text)} />}
      {wrong && scanning.value && <Notice kind="caution">{words.approvePasteWrong}</Notice>}
      {error !== null && !wrong && <Notice kind="danger">{keysErrorText(error)}</Notice>}
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (pasted.value.trim() !== "") check(pasted.value.trim());
        }}
      >
        <TextField
          label={words.approvePaste}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={pasted.value}
          onValue={(text) => {
            pasted.value = text;
            task.clear();
          }}
          error={wrong && !scanning.value ? words.approvePasteWrong : undefined}
        />
        <div class="actions actions-start">
          <Button type="submit" busy={task.busy.value} disabled={pasted.value.trim() === ""}>
            {words.approveCheck}
          </Button>
        </div>
      </form>
    </section>
  );
}
