/** What the probe worker tells of itself. */
export interface ProbeState {
  /** Another value after the constructor has run again. */
  birth: string;
  bornMs: number;
  /** WebSocket messages the actor was woken or called for since its birth. */
  messages: number;
  sockets: {
    id: string;
    namespace: string;
    name: string;
    rooms: string[];
    transport: "websocket" | "polling";
    lastSeenMs: number;
  }[];
  errors: string[];
  disconnects: { name: string; reason: string }[];
}
