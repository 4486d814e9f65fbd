import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { copyText } from "../../app/copy.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import type { Voice } from "../../voice/voice.ts";
import { voiceWords } from "./words.ts";

/** Digits that people read to each other, five at a time. */
const GROUP = /\d{5}/g;

interface SafetyDialogProps {
  readonly voice: Voice;
  readonly onClose: () => void;
}

/** What all members see alike, or somebody stands between two of them. */
export function SafetyDialog({ voice, onClose }: SafetyDialogProps) {
  const words = voiceWords.value;
  const code = useSignal<string | undefined>(undefined);
  const crypto = voice.crypto.value;
  const keyed = voice.keyed.value;
  useEffect(() => {
    let ended = false;
    crypto
      ?.safetyCode()
      .then((found) => {
        if (!ended) code.value = found;
      })
      .catch(() => undefined);
    return () => (ended = true);
  }, [crypto, keyed]);
  const digits = code.value;
  return (
    <Dialog title={words.safetyTitle} closeLabel={appWords.value.close} onClose={onClose}>
      <p>{words.safetyHelp}</p>
      {digits === undefined ? (
        <p class="safety-wait" role="status">
          {words.safetyWait}
        </p>
      ) : (
        <>
          <p class="safety-digits" aria-live="polite">
            {(digits.match(GROUP) ?? [digits]).map((group, index) => (
              <span key={`${index} ${group}`}>{group}</span>
            ))}
          </p>
          <div class="actions">
            <Button onClick={() => void copyText(digits)}>{words.safetyCopy}</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}
