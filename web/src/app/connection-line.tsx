import { WifiOff, X } from "lucide";
import { IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLive } from "./client-context.ts";
import { frameWords } from "./frame/words.ts";
import { appWords } from "./words.ts";

/** Nothing while all is well; a quiet line while it is not, or until it is read that the server was restored from a backup. */
export function ConnectionLine() {
  const live = useLive();
  const notice = live.notice.value;
  const words = frameWords.value;
  return (
    <div class="connection" role="status">
      {notice !== "none" && (
        <p class="connection-line">
          {notice === "offline" ? <Icon node={WifiOff} size={16} /> : <span class="spinner" aria-hidden="true" />}
          {words[notice]}
        </p>
      )}
      {live.restored.value && (
        <div class="connection-line restored-line">
          <span>{words.restored}</span>
          <IconButton icon={X} label={appWords.value.close} onClick={live.noteRestoredRead} />
        </div>
      )}
    </div>
  );
}
