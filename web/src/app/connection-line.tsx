import { WifiOff } from "lucide";
import { Icon } from "../ui/icon.tsx";
import { useLive } from "./client-context.ts";
import { frameWords } from "./frame/words.ts";

/** Nothing while all is well; a quiet line while it is not. */
export function ConnectionLine() {
  const notice = useLive().notice.value;
  const words = frameWords.value;
  return (
    <div class="connection" role="status">
      {notice !== "none" && (
        <p class="connection-line">
          {notice === "offline" ? <Icon node={WifiOff} size={16} /> : <span class="spinner" aria-hidden="true" />}
          {words[notice]}
        </p>
      )}
    </div>
  );
}
