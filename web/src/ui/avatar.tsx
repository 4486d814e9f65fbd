import type { Status } from "@lescopains/protocol/entities";
import "./avatar.css";
import { initials, tintOf } from "./tint.ts";

interface PresenceMarkProps {
  readonly status: Status;
}

/** Presence by shape as well as by colour; the words stand beside it or in the element's label. */
function PresenceMark({ status }: PresenceMarkProps) {
  return (
    <svg class="presence" viewBox="0 0 14 14" aria-hidden="true" data-status={status}>
      <circle class="presence-ring" cx="7" cy="7" r="7" />
      {status === "online" && <circle class="presence-online" cx="7" cy="7" r="4.5" />}
      {status === "idle" && <path class="presence-idle" d="M8.3 2.7A4.5 4.5 0 1 0 11.3 8.6 3.6 3.6 0 0 1 8.3 2.7z" />}
      {status === "dnd" && (
        <>
          <circle class="presence-dnd" cx="7" cy="7" r="4.5" />
          <rect class="presence-dnd-bar" x="4.6" y="6.2" width="4.8" height="1.6" rx="0.8" />
        </>
      )}
      {status === "offline" && <circle class="presence-offline" cx="7" cy="7" r="3.5" />}
    </svg>
  );
}

interface AvatarProps {
  /** Whose it is: the colour comes from it. */
  readonly id: string;
  readonly name: string;
  /** Side in CSS pixels, known before any picture comes. */
  readonly side?: number;
  readonly imageUrl?: string | null;
  readonly status?: Status | undefined;
}

/** A soft square with a picture or initials. A decoration: the name is said beside it. */
export function Avatar({ id, name, side = 36, imageUrl = null, status }: AvatarProps) {
  return (
    <span
      class="avatar"
      {...(imageUrl === null ? { "data-initials": initials(name) } : {})}
      style={{ "--side": `${side}px`, "--tint": tintOf(id) }}
      aria-hidden="true"
    >
      {imageUrl !== null && <img src={imageUrl} alt="" width={side} height={side} loading="lazy" decoding="async" />}
      {status !== undefined && <PresenceMark status={status} />}
    </span>
  );
}
