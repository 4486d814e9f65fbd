import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { errorText } from "../../app/errors.ts";
import { type Task, useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { operatorWords } from "./words.ts";

interface Page<Row, Cursor> {
  readonly rows: readonly Row[];
  /** Where the next page begins; null: there is none. */
  readonly next: Cursor | null;
}

interface Pages<Row> {
  /** Null until the first page is here. */
  readonly rows: ReadonlySignal<readonly Row[] | null>;
  readonly hasMore: boolean;
  readonly task: Task;
  readonly more: () => void;
  /** What became of a row; null: it is gone. */
  readonly replace: (before: Row, now: Row | null) => void;
}

/** Typing is a question once it has stopped for this long, in milliseconds. */
const PAUSE_MS = 300;

/** A list that is read a page at a time, from its beginning again whenever `question` is another. */
export function usePages<Row, Cursor>(
  question: string,
  read: (after: Cursor | undefined) => Promise<Page<Row, Cursor>>,
): Pages<Row> {
  const task = useTask();
  const rows = useSignal<readonly Row[] | null>(null);
  const next = useSignal<Cursor | null>(null);
  const now = useRef({ question, read });
  now.current = { question, read };

  async function load(after?: Cursor): Promise<void> {
    const asked = now.current;
    const page = await asked.read(after).catch((error: unknown) => {
      if (now.current.question === asked.question) throw error;
      return null;
    });
    // Something else is wanted by now.
    if (page === null || now.current.question !== asked.question) return load();
    rows.value = after === undefined ? page.rows : [...(rows.peek() ?? []), ...page.rows];
    next.value = page.next;
  }
  useEffect(() => {
    const pause = setTimeout(() => void task.run(() => load()), rows.peek() === null ? 0 : PAUSE_MS);
    return () => clearTimeout(pause);
  }, [question]);

  return {
    rows,
    hasMore: next.value !== null,
    task,
    more: () => void task.run(() => load(next.peek() ?? undefined)),
    replace(before, after) {
      rows.value = (rows.peek() ?? []).flatMap((row) => (row !== before ? [row] : after === null ? [] : [after]));
    },
  };
}

interface PagedProps<Row> {
  readonly pages: Pages<Row>;
  /** Said when there is nothing. */
  readonly empty: string;
  readonly children: (row: Row) => ComponentChildren;
}

/** The rows that are here, and the button that brings more. */
export function Paged<Row>({ pages: { rows, hasMore, task, more }, empty, children }: PagedProps<Row>) {
  return (
    <>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {rows.value === null && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <p class="muted" role="status">
        {rows.value?.length === 0 ? empty : ""}
      </p>
      <ul>{(rows.value ?? []).map(children)}</ul>
      {hasMore && (
        <div class="actions actions-start">
          <Button busy={task.busy.value} onClick={more}>
            {operatorWords.value.more}
          </Button>
        </div>
      )}
    </>
  );
}
