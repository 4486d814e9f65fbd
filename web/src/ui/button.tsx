import type { IconNode } from "lucide";
import type { ButtonHTMLAttributes, ComponentChildren, Ref } from "preact";
import "./button.css";
import { Icon } from "./icon.tsx";

type Native = Omit<ButtonHTMLAttributes, "class" | "icon" | "children">;

interface ButtonProps extends Native {
  /** `primary`: the one thing to do here. `danger`: takes something away for good. */
  readonly kind?: "primary" | "plain" | "quiet" | "danger" | "danger-quiet";
  readonly icon?: IconNode;
  /** Something is under way: shows it and ignores further presses, without losing the focus. */
  readonly busy?: boolean;
  readonly wide?: boolean;
  readonly buttonRef?: Ref<HTMLButtonElement>;
  readonly children: ComponentChildren;
}

export function Button({
  kind = "plain",
  icon,
  busy = false,
  wide = false,
  type = "button",
  buttonRef,
  onClick,
  children,
  ...native
}: ButtonProps) {
  return (
    <button
      {...native}
      {...(buttonRef === undefined ? {} : { ref: buttonRef })}
      type={type}
      class={`button button-${kind}${wide ? " button-wide" : ""}`}
      aria-busy={busy}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span class="button-spinner" aria-hidden="true" /> : icon && <Icon node={icon} size={18} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Native {
  readonly icon: IconNode;
  /** What it does, in words: read out, and shown as a hint. */
  readonly label: string;
  /** The keys that do the same, shown beside the hint. */
  readonly keys?: string;
  readonly buttonRef?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, keys, type = "button", buttonRef, ...native }: IconButtonProps) {
  return (
    <button
      {...native}
      {...(buttonRef === undefined ? {} : { ref: buttonRef })}
      type={type}
      class="icon-button"
      aria-label={label}
      data-hint={keys === undefined ? label : `${label} (${keys})`}
    >
      <Icon node={icon} />
    </button>
  );
}
