import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import type { Registered } from "../../flows/kit/people.ts";
import { composer } from "./drive.ts";
import { signIn, type Tongue, type Visitor, visitor } from "./visitor.ts";

/** A browser of a person's, in French unless told otherwise, whose device is ready. */
export async function settled(
  browser: Browser,
  url: string,
  person: Registered,
  options: BrowserContextOptions & { readonly tongue?: Tongue } = {},
): Promise<Visitor> {
  const here = await visitor(browser, options);
  await signIn(here, url, person);
  await here.page.goto(`${url}/settings/devices`);
  await here.page.locator(".section-row strong").waitFor();
  return here;
}

/** Chooses people on the page that starts a conversation, and begins it. */
export async function begin(page: Page, url: string, names: readonly string[]): Promise<void> {
  await page.goto(`${url}/dm/new`);
  for (const name of names) {
    await page.getByRole("textbox", { name: "Chercher par nom" }).fill(name);
    await page.getByRole("checkbox", { name: new RegExp(name) }).click();
  }
  await page.getByRole("button", { name: names.length > 1 ? "Créer le groupe" : "Écrire", exact: true }).click();
  await composer(page).waitFor();
}

/** A row of the list of conversations. */
export function dmRow(page: Page, name: string): Locator {
  return page.getByRole("navigation", { name: "Messages privés" }).getByRole("link", { name: new RegExp(`^${name}`) });
}

/** The digits on the page of a safety number, without spaces. */
export async function digitsOn(page: Page): Promise<string> {
  const digits = page.getByRole("group", { name: "Numéro de sécurité" });
  await digits.waitFor();
  return (await digits.innerText()).replaceAll(/\s/g, "");
}

/** Makes the recovery key in the settings, types back what is asked for, and answers the key. */
export async function makeRecoveryKey(page: Page, url: string): Promise<string> {
  await page.goto(`${url}/settings/recovery`);
  await page.getByRole("button", { name: "Créer ma clé de récupération" }).click();
  const groups = page.getByRole("list", { name: "Clé de récupération" }).getByRole("listitem");
  await groups.first().waitFor();
  const key = await groups.allInnerTexts();
  await page.getByRole("button", { name: "Je l'ai gardée" }).click();
  const asked = await page.getByText(/écris le groupe \d+, puis le groupe \d+/).innerText();
  const [first = 0, second = 0] = [...asked.matchAll(/groupe (\d+)/g)].map(([, number]) => Number(number));
  await page.getByLabel("Ces deux groupes").fill(`${key[first - 1]} ${key[second - 1]}`);
  await page.getByRole("button", { name: "Vérifier" }).click();
  await page.getByText("Tes messages sont sauvegardés").waitFor();
  return key.join(" ");
}

/** A new browser of a person's, which has identity and messages from the vault. */
export async function recovered(
  browser: Browser,
  url: string,
  person: Registered,
  recoveryKey: string,
): Promise<Visitor> {
  const fresh = await visitor(browser);
  await signIn(fresh, url, person);
  await fresh.page.goto(`${url}/dm/new`);
  await fresh.page.getByRole("button", { name: /^Avec ma clé de récupération/ }).click();
  await fresh.page.getByLabel("Clé de récupération", { exact: true }).fill(recoveryKey);
  await fresh.page.getByRole("button", { name: "Retrouver mes messages" }).click();
  await fresh.page.getByRole("heading", { level: 1, name: "À qui veux-tu écrire ?" }).waitFor();
  return fresh;
}

/** The camera of this page shows a picture: a QR code that stands on another page. */
export async function showToCamera(page: Page, code: Locator): Promise<void> {
  await code.locator("path[d^=M]").waitFor();
  const picture = (await code.screenshot()).toString("base64");
  await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 480;
    const context = canvas.getContext("2d");
    const draw = (): void => {
      if (context === null) return;
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 140, 60, 360, 360);
    };
    draw();
    // A stream has a picture whenever something was drawn.
    setInterval(draw, 100);
    navigator.mediaDevices.getUserMedia = () => Promise.resolve(canvas.captureStream(10));
  }, picture);
}
