import type { DirectChannel, User } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { ArrowLeft, BadgeCheck, Copy, ScanQrCode, X } from "lucide";
import { useEffect } from "preact/hooks";
import { copyText } from "../../app/copy.ts";
import { directWords } from "../../app/direct-words.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { useKeys } from "../../app/keys.ts";
import { href } from "../../app/route.ts";
import { navigateUp } from "../../app/router.ts";
import { Scanner } from "../../app/scanner.tsx";
import { useTaskWith } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import type { PeerState, SafetyNumber } from "../../keys/port.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { QrCode } from "../../ui/qr.tsx";
import { digitGroups } from "./model.ts";
import "./safety.css";
import { safetyWords } from "./words.ts";

export interface SafetyViewProps {
  readonly channel: DirectChannel;
  readonly person: User;
}

type ScanResult = "match" | "mismatch" | "not_a_code";

/** The number that two people compare to know that nobody stands between them: digits to read, a code to scan. */
export function SafetyView({ channel, person }: SafetyViewProps) {
  const keys = useKeys();
  const words = safetyWords.value;
  const task = useTaskWith(asKeysRefusal);
  const number = useSignal<SafetyNumber | null>(null);
  const scanning = useSignal(false);
  const result = useSignal<ScanResult | null>(null);
  const name = person.displayName;
  const title = words.title({ name });
  const peer = keys.peer(person.id).value;
  const trust = peer?.trust ?? "unknown";
  useTitle(title);

  function load(): void {
    void task.run(async () => {
      number.value = await keys.port.ask("safety:number", { userId: person.id });
    });
  }
  // A new identity has another number.
  useEffect(load, [person.id, peer?.sinceMs]);

  function verify(verified: boolean): void {
    const shown = number.peek();
    if (shown === null) return;
    void task.run(async () => {
      const question = { userId: person.id, digits: shown.digits, verified };
      keys.notePeer(await keys.port.ask("safety:verify", question));
      result.value = null;
    });
  }

  function scanned(code: Uint8Array): void {
    void task.run(async () => {
      const answer = await keys.port.ask("safety:scan", { userId: person.id, code });
      keys.notePeer(answer.peer);
      result.value = answer.result;
      if (answer.result !== "not_a_code") scanning.value = false;
    });
  }

  const error = task.error.value;
  return (
    <>
      <header class="bar">
        <IconButton
          icon={ArrowLeft}
          label={directWords.value.toConversation}
          onClick={() => navigateUp(href({ name: "dm", channelId: channel.id }))}
        />
        <h1 class="bar-title" tabIndex={-1}>
          <span class="one-line">{title}</span>
        </h1>
      </header>
      <div class="safety">
        <div class="safety-content">
          <TrustNotice trust={trust} name={name} />
          {result.value !== null && <ResultNotice result={result.value} name={name} />}
          {error !== null && error.code !== "no_devices" && (
            <Notice kind="danger">
              {keysErrorText(error)}{" "}
              {number.value === null && (
                <button type="button" class="safety-again" onClick={load}>
                  {words.again}
                </button>
              )}
            </Notice>
          )}
          {error?.code !== "no_devices" && (
            <>
              <p class="safety-lead">{words.lead({ name })}</p>
              <div class="safety-number">
                <Digits number={number.value} />
                {number.value !== null && <QrCode content={number.value.code} label={words.code({ name })} />}
              </div>
            </>
          )}
          {scanning.value && <Scanner onCode={({ bytes }) => scanned(bytes)} />}
          {number.value !== null && (
            <Actions
              verified={trust === "verified"}
              busy={task.busy.value}
              name={name}
              scanning={scanning.value}
              onScan={() => {
                result.value = null;
                scanning.value = !scanning.peek();
              }}
              onVerify={verify}
            />
          )}
        </div>
      </div>
    </>
  );
}

function TrustNotice({ trust, name }: { readonly trust: PeerState["trust"]; readonly name: string }) {
  const words = safetyWords.value;
  switch (trust) {
    case "verified":
      return <Notice kind="positive">{words.verified({ name })}</Notice>;
    case "changed":
      return <Notice kind="caution">{words.changed({ name })}</Notice>;
    case "blocked":
      return <Notice kind="danger">{words.blocked({ name })}</Notice>;
    case "unknown":
      return <Notice>{words.unknown({ name })}</Notice>;
    case "trusted":
      return <Notice>{words.trusted}</Notice>;
    default:
      return trust satisfies never;
  }
}

function ResultNotice({ result, name }: { readonly result: ScanResult; readonly name: string }) {
  const words = safetyWords.value;
  if (result === "match") return <Notice kind="positive">{words.match({ name })}</Notice>;
  if (result === "mismatch") return <Notice kind="danger">{words.mismatch({ name })}</Notice>;
  return <Notice kind="caution">{words.notACode}</Notice>;
}

function Digits({ number }: { readonly number: SafetyNumber | null }) {
  const words = safetyWords.value;
  if (number === null) {
    return (
      <div class="safety-digits-frame" role="status">
        <span class="aside-text">{words.loading}</span>
        <Skeleton width="100%" height="96px" />
      </div>
    );
  }
  return (
    <div class="safety-digits-frame">
      <div class="safety-digits" role="group" aria-label={words.number}>
        {digitGroups(number.digits).map((group, index) => (
          <span key={index}>{group} </span>
        ))}
      </div>
      <Button kind="quiet" icon={Copy} onClick={() => void copyText(digitGroups(number.digits).join(" "))}>
        {words.copy}
      </Button>
    </div>
  );
}

interface ActionsProps {
  readonly verified: boolean;
  readonly busy: boolean;
  readonly name: string;
  readonly scanning: boolean;
  readonly onScan: () => void;
  readonly onVerify: (verified: boolean) => void;
}

function Actions({ verified, busy, name, scanning, onScan, onVerify }: ActionsProps) {
  const words = safetyWords.value;
  if (verified) {
    return (
      <div class="actions actions-start">
        <Button kind="danger-quiet" busy={busy} onClick={() => onVerify(false)}>
          {words.unverify}
        </Button>
      </div>
    );
  }
  return (
    <div class="safety-ways">
      <div>
        <p>{words.codeHelp({ name })}</p>
        <Button icon={scanning ? X : ScanQrCode} aria-pressed={scanning} onClick={onScan}>
          {scanning ? words.stopScan : words.scan({ name })}
        </Button>
      </div>
      <div>
        <p>{words.sameHelp}</p>
        <Button kind="primary" icon={BadgeCheck} busy={busy} onClick={() => onVerify(true)}>
          {words.same}
        </Button>
      </div>
    </div>
  );
}
