import { Sign } from "../ui/wordmark.tsx";
import { appWords } from "./words.ts";

/** Shown while it is not yet known who is there. */
export function Splash({ unreachable }: { readonly unreachable: boolean }) {
  const words = appWords.value;
  return (
    <main class="splash" aria-busy="true">
      <h1 class="aside-text">LesCopains</h1>
      <Sign side={56} />
      <p role="status">{unreachable ? words.unreachable : words.loading}</p>
    </main>
  );
}
