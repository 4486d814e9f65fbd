import type { OperatorEntry } from "@lescopains/protocol/operator";
import { dateFormat } from "../../app/i18n.ts";
import { useOperatorCalls } from "./calls.ts";
import { detailsText } from "./log-details.ts";
import { Paged, usePages } from "./paged.tsx";
import { operatorWords } from "./words.ts";

const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });

/** Who did what, when. */
export function LogPage() {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const pages = usePages<OperatorEntry, number>("", async (before) => {
    const { entries: rows, next } = await calls.call("operatorLog", { query: { before } });
    return { rows, next };
  });

  return (
    <section class="section">
      <p>{words.logLead}</p>
      <Paged pages={pages} empty={words.logEmpty}>
        {({ id, at, operator, action, subject, subjectName, details }) => (
          <li class="section-row" key={id}>
            <div class="section-row-text">
              <span>
                {words.logLine({ who: operator.name, what: words[`log_${action}`] })}
                {(subjectName ?? subject) !== null && <strong> {subjectName ?? subject}</strong>}
              </span>
              <span class="field-hint">
                {[moment.value.format(new Date(at)), ...detailsText(details ?? {})].join(" · ")}
              </span>
            </div>
          </li>
        )}
      </Paged>
    </section>
  );
}
