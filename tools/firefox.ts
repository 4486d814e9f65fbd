import { join } from "node:path";
import { firefox } from "playwright-core";
import type { Browser } from "playwright-core";
import { findProgram, type ProgramSource } from "./find-program.ts";

/** Mozilla's own, which Playwright drives by WebDriver BiDi: its patched build is not what people have. */
const source: ProgramSource = {
  name: "Firefox",
  neededBy: "The browser tests",
  variable: "FIREFOX_PATH",
  programs: ["firefox-esr", "firefox"],
  places: {
    darwin: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
    win32: ["PROGRAMFILES", "PROGRAMFILES(X86)"].flatMap((variable) => {
      const folder = process.env[variable];
      return folder === undefined ? [] : [join(folder, "Mozilla Firefox", "firefox.exe")];
    }),
  },
  debianPackage: "firefox-esr",
};

/** The path of a Firefox, which is installed if need be. */
export async function findFirefox(log: (line: string) => void = () => undefined): Promise<string> {
  return await findProgram(source, log);
}

export interface FirefoxOptions {
  /** As in about:config. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>;
}

/** Starts a headless Firefox. The caller closes it. */
export async function launchFirefox({ preferences = {} }: FirefoxOptions = {}): Promise<Browser> {
  return await firefox.launch({
    channel: "moz-firefox",
    executablePath: await findFirefox(),
    firefoxUserPrefs: { ...preferences },
  });
}
