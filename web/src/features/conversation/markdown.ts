import DOMPurify from "dompurify";
import { trustedRenderer } from "../../app/trusted-types.ts";
import { isPlain, parseMarkdown, plain } from "./markdown-parse.ts";

const TAGS = ["p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span"];
const ATTRIBUTES = ["href", "start", "class", "role", "tabindex"];
const LINK = /^(?:https?:\/\/|mailto:)/i;

/** DOMPurify with our rules; an instance of its own, so that its hooks are nobody else's. */
const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  const spoiler = node.tagName === "SPAN" && node.getAttribute("class") === "spoiler";
  if (!spoiler) for (const name of ["class", "role", "tabindex"]) node.removeAttribute(name);
  if (node.tagName !== "A") return;
  const href = node.getAttribute("href");
  if (href === null || !LINK.test(href)) {
    node.removeAttribute("href");
    return;
  }
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
  // A link may be named like another address: the real one shows on hover.
  node.setAttribute("title", href);
});

function sanitized(html: string): string {
  return purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: LINK,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}

/** The only HTML that pages take. */
const render = trustedRenderer("markdown", (text) =>
  // Of plain text nothing is left that could be markup: the sanitiser, which parses a whole document each time, is not asked.
  isPlain(text) ? plain(text) : sanitized(parseMarkdown(text)),
);

const CACHE_MAX = 2_000;
const cache = new Map<string, string>();

/** A message's text as HTML that is safe to insert. Recent ones are remembered: scrolling draws them again and again. */
export function renderMarkdown(text: string): string {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const html = render(text);
  if (cache.size >= CACHE_MAX) cache.delete(cache.keys().next().value ?? "");
  cache.set(text, html);
  return html;
}

/** Renders something, so that what only the first text costs is paid before there are any: several times what one costs later. */
export function warmUpMarkdown(): void {
  renderMarkdown("*a* https://example.org");
}
