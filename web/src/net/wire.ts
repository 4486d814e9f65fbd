import type { DeviceId } from "@lescopains/protocol/device-list";

/** A Socket.IO connection as `socket.ts` drives it: a port, so that its rules are tested without a network. */
export interface Wire {
  /** Connects with this access token, for this device if there is one. Once only until the wire is lost. */
  readonly open: (token: string, deviceId: DeviceId | undefined) => void;
  /** Closes the transport; `lost` is not called for it. */
  readonly close: () => void;
  /** Sends without an acknowledgement; nothing when not open. */
  readonly send: (event: string) => void;
  /** Sends and waits for the acknowledgement. Rejects when none came in `timeoutMs` or the wire was lost. */
  readonly request: (event: string, body: unknown, timeoutMs: number) => Promise<unknown>;
}

/** What a wire tells. */
export interface WireEvents {
  /** The wire could not be opened or was closed from the other side; `closeCode` is the WebSocket's, where there was one. */
  readonly lost: (closeCode: number | undefined) => void;
  /** The server refused the connection; `reason` is what it said (`ConnectRefusal`). */
  readonly refused: (reason: unknown) => void;
  readonly event: (name: string, body: unknown) => void;
}

export type OpenWire = (events: WireEvents) => Wire;
