import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { isPlain, parseMarkdown, plain } from "./markdown-parse.ts";

/** How often an expression was tried: what the parser does besides is in proportion. Unbounded, emphasis takes 450 tries a character. */
function steps(work: () => void): number {
  const tried = vi.spyOn(RegExp.prototype, "exec");
  try {
    work();
    return tried.mock.calls.length;
  } finally {
    tried.mockRestore();
  }
}

describe("markdown", () => {
  test.each([
    [
      "**bold** *italic* ~~gone~~ `code`",
      "<p><strong>bold</strong> <em>italic</em> <del>gone</del> <code>code</code></p>",
    ],
    ["one\ntwo", "<p>one<br>two</p>"],
    ["> said", "<blockquote>\n<p>said</p>\n</blockquote>"],
    ["- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"],
    ["3. c", '<ol start="3">\n<li>c</li>\n</ol>'],
    ["```js\n<b> & *x*\n```", "<pre><code>&lt;b&gt; &amp; *x*</code></pre>"],
    ["||a **b**||", '<p><span class="spoiler" role="button" tabindex="0">a <strong>b</strong></span></p>'],
    ["see www.example.org", '<p>see <a href="http://www.example.org">www.example.org</a></p>'],
    ["[words](https://example.org/?a=1&b=2)", '<p><a href="https://example.org/?a=1&amp;b=2">words</a></p>'],
    ["mail a@example.org", '<p>mail <a href="mailto:a@example.org">a@example.org</a></p>'],
  ])("[MD1] %j is written as a chat writes it", (text, html) => {
    expect(parseMarkdown(text).trim()).toBe(html);
  });

  test.each([
    ["<b onclick=x>hi</b>", "<p>&lt;b onclick=x&gt;hi&lt;/b&gt;</p>"],
    ["title\n===", "<p>title<br>===</p>"],
    ["a\n---", "<p>a<br>---</p>"],
    ["    four spaces", "<p>    four spaces</p>"],
    ["[a]: https://example.org", '<p>[a]: <a href="https://example.org">https://example.org</a></p>'],
    ["a || b", "<p>a || b</p>"],
    ["| a | b |\n|---|---|\n| 1 | 2 |", "<p>| a | b |<br>|---|---|<br>| 1 | 2 |</p>"],
    ["[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"],
    ["[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>"],
  ])("[MD2] %j stays as it was typed", (text, html) => {
    expect(parseMarkdown(text).trim()).toBe(html);
  });

  test("[MD3] a picture from elsewhere is a link, a heading is bold", () => {
    expect(parseMarkdown("![cat](https://example.org/cat.png)").trim()).toBe(
      '<p><a href="https://example.org/cat.png">cat</a></p>',
    );
    expect(parseMarkdown("# Loud").trim()).toBe("<p><strong>Loud</strong></p>");
  });

  test("[MD4] nothing that fits in a message takes the parser more than a few steps for each character", () => {
    const seeds = [
      "> ",
      ">",
      "[",
      "*",
      "**a ",
      "_a*",
      "||",
      "||a",
      "- ",
      "`",
      "![",
      "<",
      "~~a",
      "[a](",
      "http://",
      "a@b.",
      "\\",
      "1. ",
      "a**b",
      "[a](<",
      "`a``b",
      "*a_",
      "&",
      "- > ",
      "```\n",
      "|a",
      "<a@b.c>",
      "www.a",
    ];
    for (const seed of seeds) {
      const text = seed.repeat(Math.floor(4_000 / seed.length));
      expect(
        steps(() => parseMarkdown(text)),
        seed,
      ).toBeLessThan(10 * text.length);
    }
  });

  test("[MD5] what is too intricate is shown as typed, code aside", () => {
    const knot = "_a*".repeat(400);
    expect(parseMarkdown(knot)).toBe(`<p>${knot}</p>`);
    expect(parseMarkdown(`\`\`\`\n${knot}\n\`\`\``)).toBe(`<pre><code>${knot}</code></pre>`);
  });

  test("[MD6] what is taken for plain text is what the parser would make of it", () => {
    const pieces =
      "a|É|1|23| |.|,|:|;|!|?|'|’|\"|(|)|…|€|%|-|😀|www.|w|http:|ftp:|x.fr|1.|*|_|[|<|&|/|@|#|~|`|\\".split("|");
    const text = fc
      .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join("").trim());
    fc.assert(
      fc.property(text, (typed) => {
        fc.pre(typed !== "" && isPlain(typed));
        expect(parseMarkdown(typed).trim()).toBe(plain(typed));
      }),
      { numRuns: 2_000, seed: 20_261_126 },
    );
    expect(isPlain("On part à 9 h, d'accord : gare de l'Est ?")).toBe(true);
    for (const typed of ["- a", "1. a", "www.a.fr", "a*b*", "<b>", "a\nb", "a&amp;b", "mail a@b.fr"]) {
      expect(isPlain(typed)).toBe(false);
    }
  });
});
