import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

export type Tongue = "fr-FR" | "en-GB";

export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Uncaught errors and console errors of the page, except refused requests, which tests cause on purpose. */
  readonly faults: string[];
}

/** The wide screen of most tests, and a phone. */
export const WIDE = { width: 1280, height: 800 } as const;
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};

/** A browser of one's own: cookies, storage, cache. */
export async function visitor(
  browser: Browser,
  { tongue = "fr-FR", ...options }: BrowserContextOptions & { readonly tongue?: Tongue } = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: WIDE,
    locale: tongue,
    timezoneId: "Europe/Paris",
    colorScheme: "light",
    ...options,
  });
  // A busy machine is no fault of a page's: what limits a test is the test's own time.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error.stack)));
  page.on("console", (message) => {
    // The browser itself reports every refused request as an error, the first look for a session included.
    const refused = /Failed to load resource|WebSocket connection|ERR_/.test(message.text());
    if (message.type() === "error" && !refused) faults.push(message.text());
  });
  return { context, page, faults };
}

/** Signs in without the form: the refresh cookie is set as the server's answer to a login sets it. */
export async function signIn(
  { context }: Visitor,
  url: string,
  person: { readonly username: string; readonly password: string },
): Promise<void> {
  const answer = await context.request.post(`${url}/api/auth/login`, {
    data: { username: person.username, password: person.password },
  });
  if (!answer.ok()) throw new Error(`login answered ${answer.status()} ${await answer.text()}`);
}
