import { useTitle } from "./title.ts";
import { appWords } from "./words.ts";

/** An address that leads nowhere. */
export function NotFound() {
  const words = appWords.value;
  useTitle(words.notFound);
  return (
    <main class="failure">
      <h1 tabIndex={-1}>{words.notFound}</h1>
      <p>{words.notFoundHelp}</p>
      <a class="button button-primary" href="/">
        {words.goHome}
      </a>
    </main>
  );
}
