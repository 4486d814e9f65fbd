import { Fragment } from "preact";
import { settingsWords } from "./words.ts";

/** What each combination does; alternatives are separate lists of keys. */
const KEYS = [
  { word: "keyGoTo", combinations: [["Ctrl", "K"]] },
  {
    word: "keyNext",
    combinations: [
      ["Alt", "↓"],
      ["Alt", "↑"],
    ],
  },
  { word: "keyList", combinations: [["↓"], ["↑"]] },
  {
    word: "keyMove",
    combinations: [
      ["Alt", "⇧", "↓"],
      ["Alt", "⇧", "↑"],
    ],
  },
  { word: "keySend", combinations: [["↵"]] },
  { word: "keyLine", combinations: [["⇧", "↵"]] },
  { word: "keyEdit", combinations: [["↑"]] },
  { word: "keyReact", combinations: [["+"]] },
  { word: "keyMenu", combinations: [["⇧", "F10"]] },
  { word: "keyBack", combinations: [["Esc"]] },
  { word: "keyMute", combinations: [["Ctrl", "⇧", "M"]] },
  { word: "keyDeafen", combinations: [["Ctrl", "⇧", "D"]] },
  { word: "keyHangUp", combinations: [["Ctrl", "⇧", "H"]] },
  { word: "keyHelp", combinations: [["Ctrl", "/"]] },
] as const;

/** Every shortcut, in a table. */
export function KeyboardPage() {
  const words = settingsWords.value;
  return (
    <table class="keys" aria-label={words.keys}>
      <tbody>
        {KEYS.map(({ word, combinations }) => (
          <tr key={word}>
            <th scope="row">{words[word]}</th>
            <td>
              {combinations.map((keys, index) => (
                <Fragment key={keys.join()}>
                  {index > 0 && " · "}
                  {keys.map((key, at) => (
                    <Fragment key={key}>
                      {at > 0 && " + "}
                      <kbd>{key}</kbd>
                    </Fragment>
                  ))}
                </Fragment>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
