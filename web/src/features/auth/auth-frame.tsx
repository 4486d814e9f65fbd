import type { ComponentChildren } from "preact";
import { LanguageSwitch } from "../../app/language-switch.tsx";
import { Wordmark } from "../../ui/wordmark.tsx";
import { authWords } from "./words.ts";
import "./view.css";

/** People on a sofa, as soft squares: heights in percent of the row's. */
const GATHERING = [
  { tint: "var(--avatar-0)", initials: "CM", lift: 0 },
  { tint: "var(--avatar-4)", initials: "LÉ", lift: 1 },
  { tint: "var(--avatar-1)", initials: "S", lift: 2 },
  { tint: "var(--avatar-6)", initials: "NO", lift: 1 },
  { tint: "var(--avatar-3)", initials: "J", lift: 0 },
] as const;

interface AuthFrameProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

/** The page around sign-in and registration: the promise on one side, the form on the other, the language at the foot. */
export function AuthFrame({ title, children }: AuthFrameProps) {
  const words = authWords.value;
  return (
    <div class="auth">
      <header class="auth-side">
        <Wordmark />
        <div class="auth-promise">
          <div class="auth-gathering" aria-hidden="true">
            {GATHERING.map(({ tint, initials, lift }) => (
              <span key={initials} style={{ "--tint": tint, "--lift": lift }}>
                {initials}
              </span>
            ))}
          </div>
          <p class="auth-promise-title">{words.promise}</p>
          <p>{words.promiseMore}</p>
        </div>
      </header>
      <main class="auth-main">
        <div class="auth-card">
          <h1 tabIndex={-1}>{title}</h1>
          {children}
        </div>
        <LanguageSwitch />
      </main>
    </div>
  );
}
