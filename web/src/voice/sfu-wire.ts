import { createSocketIo } from "../net/socket-io.ts";

/** What an SFU node's connection tells. */
export interface SfuWireEvents {
  readonly event: (name: string, body: unknown) => void;
  /** The connection ended, or never came about. Told once for each `open`. */
  readonly lost: () => void;
  /** The node refused it; `reason` is what it says. Told in place of `lost`. */
  readonly refused: (reason: unknown) => void;
}

export interface SfuWire {
  /** Connects with this handshake. */
  readonly open: (auth: { readonly token: string; readonly resumeKey?: string }) => void;
  /** @throws when there is no answer in time. */
  readonly request: (name: string, body: unknown, timeoutMs: number) => Promise<unknown>;
  /** Ends the connection without telling. */
  readonly close: () => void;
}

export type OpenSfuWire = (url: string, events: SfuWireEvents) => SfuWire;

/** The wire on the official client; `sfu-link.ts` drives it. A node's address may have a path, which Socket.IO would take for a namespace. */
export const openSfuSocket: OpenSfuWire = (address, events) => {
  const { origin, pathname } = new URL(address);
  return createSocketIo({ url: origin, path: `${pathname.replace(/\/$/, "")}/sfu/socket.io` }, events);
};
