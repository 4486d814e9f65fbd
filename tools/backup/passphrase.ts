import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { OperatorError } from "../operator-error.ts";

/** Whoever has the file guesses as long as they like, at half a second a guess: four words, or twelve letters at random, are enough. */
const shortest = 12;

/** Asks at the terminal, without showing what is typed. */
function ask(question: string): Promise<string> {
  return new Promise((resolve) => {
    process.stderr.write(question);
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const line = createInterface({ input: process.stdin, output: silent, terminal: true });
    line.question("", (answer) => {
      line.close();
      process.stderr.write("\n");
      resolve(answer);
    });
  });
}

/**
 * The passphrase of a backup: BACKUP_PASSPHRASE, the first line of BACKUP_PASSPHRASE_FILE, or asked for at the terminal, twice when it is `chosen` now.
 * An OperatorError when there is none, or one that is too short to protect anything.
 */
export async function passphrase(chosen: boolean): Promise<string> {
  const text = await given();
  if (text === undefined) {
    if (!process.stdin.isTTY)
      throw new OperatorError(
        "Set BACKUP_PASSPHRASE_FILE to a file with the passphrase (or BACKUP_PASSPHRASE to itself)",
      );
    const typed = await ask("Passphrase: ");
    if (chosen && (await ask("The same again: ")) !== typed) throw new OperatorError("The two are not the same");
    return checked(typed);
  }
  return checked(text);
}

async function given(): Promise<string | undefined> {
  const direct = process.env["BACKUP_PASSPHRASE"];
  if (direct !== undefined && direct !== "") return direct;
  const file = process.env["BACKUP_PASSPHRASE_FILE"];
  if (file === undefined || file === "") return undefined;
  try {
    return readFileSync(file, "utf8").split("\n", 1)[0]?.trim();
  } catch (cause) {
    throw new OperatorError(`The passphrase cannot be read from BACKUP_PASSPHRASE_FILE=${file}`, { cause });
  }
}

function checked(text: string): string {
  if (text.length < shortest)
    throw new OperatorError(
      `The passphrase has at least ${shortest} characters: a backup holds every secret of this place`,
    );
  return text;
}
