/** Markdown as people write it in a chat, to HTML. Its output is not yet to be trusted: `markdown.ts` sanitises it. */
import { Marked, type RendererExtension, type TokenizerExtension, type Tokens } from "marked";

/** `||spoiler||`, as Discord writes it. */
const spoiler: TokenizerExtension & RendererExtension = {
  name: "spoiler",
  level: "inline",
  start: (source) => {
    const at = source.indexOf("||");
    return at === -1 ? undefined : at;
  },
  tokenizer(source) {
    const match = /^\|\|(?=\S)([^]*?\S)\|\|/.exec(source);
    if (match?.[1] === undefined) return undefined;
    return { type: "spoiler", raw: match[0], tokens: this.lexer.inlineTokens(match[1]) };
  },
  renderer(token) {
    return `<span class="spoiler" role="button" tabindex="0">${this.parser.parseInline(token.tokens ?? [])}</span>`;
  },
};

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;

/** Not recognised: the text stays as it was typed. */
function asTyped(): undefined {
  return undefined;
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: [spoiler],
  tokenizer: {
    // Raw HTML is text. So are what a chat has no use for, or what would swallow or reshape text that was not meant so.
    html: asTyped,
    tag: asTyped,
    table: asTyped,
    hr: asTyped,
    lheading: asTyped,
    def: asTyped,
    code: asTyped,
    reflink: asTyped,
  },
  renderer: {
    // A heading inside a message would stand among those of the page.
    heading({ tokens }) {
      return `<p><strong>${this.parser.parseInline(tokens)}</strong></p>`;
    },
    image({ href, text, raw }) {
      // A picture from elsewhere would tell its host who reads.
      return SAFE_LINK.test(href) ? link(href, escapeHtml(text === "" ? href : text)) : escapeHtml(raw);
    },
    link({ href, tokens, raw }: Tokens.Link) {
      return SAFE_LINK.test(href) ? link(href, this.parser.parseInline(tokens)) : escapeHtml(raw);
    },
    checkbox({ checked }) {
      return checked ? "☑ " : "☐ ";
    },
    code({ text }) {
      return `<pre><code>${escapeHtml(text)}</code></pre>`;
    },
  },
});

function link(href: string, html: string): string {
  return `<a href="${escapeHtml(href)}">${html}</a>`;
}

/** Deeper nesting than anyone means costs the parser more than it is worth. */
const NESTING_MAX = 12;

/** The parser's time for emphasis grows with the square of its marks (300 ms for 2,600 of them, 4 ms for 300; measured 2026-11). */
const MARKS_MAX = 300;
const FENCED = /^(`{3,})[^`\n]*\n[^]*?^\1/gm;

function tooIntricate(text: string): boolean {
  const marks = text.replaceAll(FENCED, "").match(/[*_~|[]/g)?.length ?? 0;
  return marks > MARKS_MAX || nesting(text) > NESTING_MAX;
}

/** `text` as HTML, unsanitised. What the parser cannot take is shown as typed. */
export function parseMarkdown(text: string): string {
  if (tooIntricate(text)) return plain(text);
  try {
    return marked.parse(text, { async: false });
  } catch {
    return plain(text);
  }
}

/** Only letters, digits, blanks and harmless punctuation: nothing for the parser to find, nor for HTML to mean. */
const PLAIN = /^(?:[\p{L}\p{M}\p{N}\p{Extended_Pictographic} .,:;!?'’"()…€%-]|\u200d|\ufe0f)*$/u;
/** Starts a list, or is a link without its scheme. */
const NOT_PLAIN = /^\s*(?:-|\d+[.)])|www\./i;

/** Whether `plain` says of a text all that `parseMarkdown` would. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text) && !NOT_PLAIN.test(text);
}

/** Text with nothing but its line breaks. */
export function plain(text: string): string {
  return `<p>${escapeHtml(text).replaceAll("\n", "<br>")}</p>`;
}

/** How deep quotes, lists and brackets may nest at most. */
function nesting(text: string): number {
  let deepest = 0;
  for (const [run] of text.matchAll(/^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])[ \t]?)+/gm)) {
    deepest = Math.max(deepest, run.replaceAll(/[^>*+.)-]/g, "").length);
  }
  let open = 0;
  for (const character of text) {
    if (character === "[") deepest = Math.max(deepest, (open += 1));
    else if (character === "]" || character === "\n") open = Math.max(0, open - 1);
  }
  return deepest;
}
