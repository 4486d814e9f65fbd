import { useSignal } from "@preact/signals";
import { say } from "../../ui/toasts.tsx";
import "./recovery.css";
import { RecoverySetup } from "./recovery-setup.tsx";
import { recoveryWords } from "./recovery-words.ts";

export interface RecoveryFirstProps {
  /** It was done, or put off. */
  readonly onEnd: () => void;
}

/** The calm page of the first visit: a recovery key before there is anything to lose. */
export function RecoveryFirst({ onEnd }: RecoveryFirstProps) {
  const made = useSignal(false);
  return (
    <div class="recovery-first">
      <div class="recovery-first-content">
        <RecoverySetup
          heading="h1"
          {...(made.value ? {} : { onLater: onEnd })}
          onMade={() => (made.value = true)}
          onDone={() => {
            say(recoveryWords.value.confirmed);
            onEnd();
          }}
        />
      </div>
    </div>
  );
}
