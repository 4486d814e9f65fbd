import { renderMarkdown } from "./markdown.ts";
import { conversationWords } from "./words.ts";

/** Shows a spoiler that was pressed, by pointer or key. */
function reveal(event: Event): void {
  if (!(event.target instanceof Element)) return;
  const spoiler = event.target.closest<HTMLElement>(".spoiler:not([data-shown])");
  if (spoiler === null) return;
  event.preventDefault();
  event.stopPropagation();
  spoiler.dataset["shown"] = "";
  spoiler.removeAttribute("role");
  spoiler.removeAttribute("tabindex");
  spoiler.removeAttribute("aria-label");
}

/** Hidden text must not be read out before it is asked for. */
function cover(element: HTMLElement | null): void {
  for (const spoiler of element?.querySelectorAll(".spoiler:not([data-shown])") ?? []) {
    spoiler.setAttribute("aria-label", conversationWords.peek().hiddenSpoiler);
  }
}

/** A message's text. The HTML comes from `markdown.ts` alone, which sanitises it. */
export function MessageText({ content }: { readonly content: string }) {
  return (
    <div
      key={content}
      ref={cover}
      class="message-text"
      dir="auto"
      dangerouslySetInnerHTML={{ __html: renderMarkdown(content) }}
      onClickCapture={reveal}
      onKeyDownCapture={(event) => {
        if (event.key === "Enter" || event.key === " ") reveal(event);
      }}
    />
  );
}
