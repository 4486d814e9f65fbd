import { Copy, Download } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { copyText } from "../../app/copy.ts";
import { downloadText } from "../../app/download.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { settingsWords } from "./words.ts";

interface RecoveryCodesProps {
  readonly codes: readonly string[];
  readonly onDone: () => void;
}

/** The recovery codes, this once. */
export function RecoveryCodes({ codes, onDone }: RecoveryCodesProps) {
  const words = settingsWords.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const text = `${codes.join("\n")}\n`;
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class="form">
      <h3 ref={heading} tabIndex={-1}>
        {words.recoveryTitle}
      </h3>
      <Notice kind="caution">{words.recoveryHelp}</Notice>
      <ul class="recovery">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div class="actions actions-start">
        <Button icon={Copy} onClick={() => void copyText(text)}>
          {words.recoveryCopy}
        </Button>
        <Button icon={Download} onClick={() => downloadText(`${words.recoveryFile}.txt`, text)}>
          {words.recoveryDownload}
        </Button>
        <Button kind="primary" onClick={onDone}>
          {words.recoveryDone}
        </Button>
      </div>
    </div>
  );
}
