/** What the benchmark asks of a load generator process, and what that answers. Both sides are ours: nothing is parsed. */

/** `http://127.0.0.1:<port>`, or `https://…` on this machine with the authority that vouches for it, PEM. */
export interface Server {
  readonly url: string;
  readonly ca?: string;
}

export interface Connect {
  readonly kind: "connect";
  readonly server: Server;
  readonly tokens: readonly string[];
}

/** Starts the book of a run: from now on deliveries that carry this run's number are counted. */
export interface Open {
  readonly kind: "open";
  readonly run: number;
}

/** When messages leave: at random moments (Poisson), the same for a seed, or as soon as earlier ones are acknowledged. */
export type Pace =
  | { readonly kind: "random"; readonly perSecond: number; readonly seed: number }
  | { readonly kind: "saturate"; readonly outstandingPerSender: number };

export interface Send {
  readonly kind: "send";
  readonly run: number;
  readonly pace: Pace;
  readonly durationMs: number;
  /** Messages go to these in turn; every connection of the process is a sender. */
  readonly channelIds: readonly string[];
}

/** Waits until every connection has every message of the run, or no more arrive. */
export interface Settle {
  readonly kind: "settle";
  /** How many messages were sent; those in `refused` are not expected. */
  readonly messages: number;
  readonly refused: readonly number[];
}

export interface Disconnect {
  readonly kind: "disconnect";
}

export type Command = Connect | Open | Send | Settle | Disconnect;

export interface Sent {
  readonly messages: number;
  /** Indices of messages that were answered with a refusal, or not at all. */
  readonly refused: number[];
  /** Send → acknowledgement. */
  readonly ackUs: number[];
}

export interface Settled {
  readonly delivered: number;
  readonly lost: number;
  readonly doubled: number;
  /** Send → delivery, of the sampled connections. */
  readonly deliveryUs: number[];
  /** Of the monotonic clock that all processes of a machine share. */
  readonly firstUs: number;
  readonly lastUs: number;
}

export interface Answers {
  connect: { readonly connectedMs: number };
  open: null;
  send: Sent;
  settle: Settled;
  disconnect: null;
}

export interface Request {
  readonly id: number;
  readonly command: Command;
}
export type Reply =
  | { readonly id: number; readonly answer: Answers[Command["kind"]] }
  | { readonly id: number; readonly error: string };
