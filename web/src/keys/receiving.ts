import type { HandoffId } from "@lescopains/protocol/ids";
import { singleFlight } from "../sync/single-flight.ts";
import { openHandoff, takeHandoff, type Waiting } from "./handoff.ts";
import { type Answers, asRefusal, type Kit, refusal } from "./kit.ts";
import type { HandoffState } from "./port.ts";
import { codecs, KEY } from "./records.ts";

/** A new browser that waits for what another one gives, and makes it its own. */
export interface Receiving {
  readonly answers: Answers<"handoff:begin" | "handoff:cancel">;
  /** The server says that something was given. */
  readonly filled: (id: HandoffId) => void;
  /** Goes on with what was given before a stop, if something was. */
  readonly resume: () => void;
  readonly close: () => void;
}

const LOOK_MS = 5_000;

/** `makeOwn` makes what was given this browser's own. */
export function createReceiving(kit: Kit, makeOwn: () => Promise<void>): Receiving {
  let waiting: Waiting | undefined;
  /** Counts waits that began or were given up, so that a code which comes after that is nobody's. */
  let begun = 0;
  let cancel: (() => void) | undefined;
  let closed = false;

  function tell(next: HandoffState): HandoffState {
    kit.tell("handoff", next);
    return next;
  }

  function later(task: () => Promise<void>): void {
    cancel?.();
    if (!closed) cancel = kit.clock.after(LOOK_MS, () => void task());
  }

  /** By the clock and by the server's word: it is taken once. */
  const look = singleFlight(async () => {
    cancel?.();
    const mine = waiting;
    if (mine === undefined || closed) return;
    try {
      const given = await takeHandoff(kit, mine);
      if (given === undefined) {
        later(look);
        return;
      }
      waiting = undefined;
      await kit.store.exclusive(async (unit) => {
        unit.put(KEY.given, codecs.given, given);
        await unit.commit();
      });
      await receive();
    } catch (error) {
      const why = asRefusal(error);
      if (why.code === "offline") {
        later(look);
        return;
      }
      waiting = undefined;
      tell({ kind: "failed", refusal: why });
    }
  });

  /** After a stop it goes on with the next start. */
  const receive = singleFlight(async () => {
    cancel?.();
    // What cannot be read now is looked for again by whoever resumes next.
    if (closed || !(await hasGiven().catch(() => false))) return;
    tell({ kind: "receiving" });
    try {
      await makeOwn();
      tell({ kind: "done" });
    } catch (error) {
      const why = asRefusal(error);
      if (why.code === "offline") {
        later(receive);
        return;
      }
      if (why.code === "vault_damaged") await dropGiven();
      tell({ kind: "failed", refusal: why });
    }
  });

  async function hasGiven(): Promise<boolean> {
    return await kit.store.exclusive(async (unit) => (await unit.get(KEY.given, codecs.given)) !== undefined);
  }

  async function dropGiven(): Promise<void> {
    await kit.store.exclusive(async (unit) => {
      unit.drop(KEY.given);
      await unit.commit();
    });
  }

  return {
    answers: {
      async "handoff:begin"() {
        begun += 1;
        const mine = begun;
        const opened = await openHandoff(kit);
        if (mine !== begun) throw refusal("code_expired", "nobody waits for the code any more");
        waiting = opened;
        later(look);
        return tell({ kind: "waiting", code: opened.code, expiresAt: opened.expiresAt });
      },
      async "handoff:cancel"() {
        begun += 1;
        waiting = undefined;
        cancel?.();
        return {};
      },
    },
    filled(id) {
      if (waiting?.id === id) void look();
    },
    resume: () => void receive(),
    close() {
      closed = true;
      cancel?.();
    },
  };
}
