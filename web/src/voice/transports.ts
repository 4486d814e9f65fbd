import type { types } from "mediasoup-client";
import type { Clock } from "../sync/ports.ts";
import type { SfuLink } from "./sfu-link.ts";

/** A path that shows no sign of life for this long is looked for anew. */
const DISCONNECTED_MS = 1_500;
/** A restart that brings nothing in this time is made again. */
const RESTART_MS = 4_000;
const RESTARTS = 3;

/**
 * Keeps a transport's path: when the network changes or fails, ICE begins anew, and media goes on where it was. `dead` is called when that does
 * not help, with whether there ever was a path.
 */
export function keepPath(
  transport: types.Transport,
  { link, clock, dead }: { readonly link: SfuLink; readonly clock: Clock; readonly dead: (was: boolean) => void },
): { readonly restart: () => void; readonly close: () => void } {
  let restarts = 0;
  let was = false;
  let cancel: (() => void) | undefined;

  function later(delayMs: number): void {
    cancel?.();
    cancel = clock.after(delayMs, restart);
  }

  function restart(): void {
    cancel?.();
    cancel = undefined;
    if (transport.closed || transport.connectionState === "new") return;
    if (restarts >= RESTARTS) {
      dead(was);
      return;
    }
    restarts += 1;
    later(RESTART_MS);
    link
      .request("transport:restart-ice", { transportId: transport.id })
      .then(({ iceParameters }) => transport.restartIce({ iceParameters: iceParameters as types.IceParameters }))
      // The timer tries again, or gives up.
      .catch(() => undefined);
  }

  transport.on("connectionstatechange", (state) => {
    if (state === "connected") {
      was = true;
      restarts = 0;
      cancel?.();
      cancel = undefined;
    } else if (state === "disconnected") later(DISCONNECTED_MS);
    else if (state === "failed") restart();
  });
  return { restart, close: () => cancel?.() };
}
