import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";

/** Checks the page that is shown by every rule of axe, its best practices included. */
export async function violations(page: Page): Promise<string[]> {
  // Colours on their way from one to another would be judged halfway.
  await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== "running"));
  await page.evaluate(axe.source);
  const results = await page.evaluate(async (): Promise<AxeResults> => {
    const { axe: checker } = globalThis as unknown as { axe: typeof axe };
    return checker.run(document, { resultTypes: ["violations"] });
  });
  return results.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join("\n")}`,
  );
}
