import { useId } from "preact/hooks";
import { numberFormat } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { deviceWords } from "./words.ts";

const amount = numberFormat();

/** How much of the backup was read. */
export function RestoreProgress({ label }: { readonly label: string }) {
  const id = useId();
  const progress = useKeys().restoring.value;
  return (
    <div class="restore-progress" role="status">
      <span id={id}>
        {label}{" "}
        {progress !== null &&
          deviceWords.value.restored({
            done: amount.value.format(progress.done),
            total: amount.value.format(progress.total),
          })}
      </span>
      <progress
        aria-labelledby={id}
        {...(progress === null ? {} : { value: progress.done, max: Math.max(1, progress.total) })}
      />
    </div>
  );
}
