import { KeyRound } from "lucide";
import { useKeys } from "../../app/keys.ts";
import { href } from "../../app/route.ts";
import { Icon } from "../../ui/icon.tsx";
import "./recovery.css";
import { recoveryWords } from "./recovery-words.ts";

/** One quiet line above the list, as long as there is no backup that can be counted on. */
export function RecoveryNudge() {
  const vault = useKeys().vault.value;
  const words = recoveryWords.value;
  const [text, action] =
    vault.kind === "none"
      ? [words.nudge, words.nudgeAction]
      : vault.kind === "locked"
        ? [words.lockedTitle, words.unlock]
        : vault.kind === "on" && !vault.confirmed
          ? [words.statusUnconfirmed, words.check]
          : [];
  if (text === undefined) return null;
  return (
    <a class="recovery-nudge" href={href({ name: "settings", page: "recovery" })}>
      <Icon node={KeyRound} size={18} />
      <span>
        {text}
        <strong>{action}</strong>
      </span>
    </a>
  );
}
