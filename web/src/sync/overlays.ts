import type { MessageId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Overlay } from "./live-types.ts";

/** Changes of messages that show before they are confirmed. */
export interface Overlays {
  readonly all: ReadonlySignal<ReadonlyMap<MessageId, Overlay>>;
  /** Takes the place of an earlier one; the answer ends it, unless another has followed. */
  readonly show: (id: MessageId, what: Overlay) => () => void;
  readonly drop: (id: MessageId) => void;
}

export function createOverlays(): Overlays {
  const all = signal<ReadonlyMap<MessageId, Overlay>>(new Map());

  function drop(id: MessageId): void {
    if (!all.peek().has(id)) return;
    const rest = new Map(all.peek());
    rest.delete(id);
    all.value = rest;
  }

  return {
    all,
    show(id, what) {
      all.value = new Map(all.peek()).set(id, what);
      return () => {
        if (all.peek().get(id) === what) drop(id);
      };
    },
    drop,
  };
}
