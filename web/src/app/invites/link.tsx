import { Copy } from "lucide";
import { useRef } from "preact/hooks";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { copyText } from "../copy.ts";
import { appWords } from "../words.ts";
import "./invites.css";

interface InviteLinkProps {
  readonly label: string;
  /** Empty while it is being made; then `placeholder` stands in its place. */
  readonly address: string;
  readonly placeholder?: string;
  /** Whether copying it is what one came for. */
  readonly autofocus?: boolean;
}

/** A link to send, and the button that copies it. */
export function InviteLink({ label, address, placeholder = "", autofocus = false }: InviteLinkProps) {
  const link = useRef<HTMLInputElement>(null);
  return (
    <div class="copy-row">
      <TextField
        label={label}
        readOnly
        placeholder={placeholder}
        inputRef={link}
        value={address}
        onValue={() => undefined}
      />
      <Button
        kind="primary"
        icon={Copy}
        autofocus={autofocus}
        disabled={address === ""}
        onClick={() => void copyText(address, link.current)}
      >
        {appWords.value.copy}
      </Button>
    </div>
  );
}
