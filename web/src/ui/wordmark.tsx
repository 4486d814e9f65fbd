import "./wordmark.css";

/** Two soft squares that touch: the sign of the house. */
export function Sign({ side = 32 }: { readonly side?: number }) {
  return (
    <svg class="sign" width={side} height={side} viewBox="0 0 32 32" aria-hidden="true">
      <rect class="sign-one" x="2" y="10" width="19" height="19" rx="6.5" />
      <rect class="sign-other" x="12" y="3" width="18" height="18" rx="6" />
      <path class="sign-both" d="M12 10h2.5a6.5 6.5 0 0 1 6.5 6.5V21h-3a6 6 0 0 1-6-6z" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span class="wordmark">
      <Sign />
      LesCopains
    </span>
  );
}
