/**
 * What the page may ask of the device: everything secret lives behind this port, in a worker.
 *
 * ```
 *   page                                   worker
 *   KeysPort.ask(name, question) ───────▶  answers, or refuses with a KeysErrorCode
 *   KeysPort.on(name, listener)  ◀───────  events: what changed
 * ```
 * No private key and no session state ever crosses it. Two things that people must see do: the text of the recovery key, and the text of
 * the code by which a new browser receives the identity. So does the key of the pad, which seals what the page has typed itself. Both ends are of one build and one origin, so what arrives is trusted to
 * have the types below.
 */
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { Message } from "@lescopains/protocol/entities";
import type { ErrorCode } from "@lescopains/protocol/errors";
import type { ChannelId, MessageId, Seq, Timestamp, UserId } from "@lescopains/protocol/ids";
import type { FailureReason } from "@lescopains/protocol/keys";
import type { DmContent } from "./dm-content.ts";

export type { DmContent };

/** Why the device refused. `refused` carries the server's own code in `server`; all others are decided here. */
export type KeysErrorCode =
  /** The browser's storage could not be read or written. Nothing was lost or made anew: try again, or restart the browser. */
  | "storage_failed"
  | "storage_full"
  /** The page was not loaded over https or from localhost: browsers lend their cryptography to no other. */
  | "insecure_context"
  /** This browser has no device yet (`DeviceState` says why), or no longer. */
  | "not_ready"
  /** The server could not be asked; the same question may be answered later. */
  | "offline"
  /** The server refused; `server` says how, `retryAfterMs` when to ask again. */
  | "refused"
  /** The account's password is wrong. */
  | "wrong_password"
  /** Someone's identity changed after it was verified: verify or accept it first. */
  | "identity_changed"
  /** A person in the conversation has no device that could read. */
  | "no_devices"
  /** The server's list of someone's devices is unsigned, older than one already seen, or signed by another key. */
  | "list_refused"
  /** Text beyond the limit of a message. */
  | "too_long"
  /** No such message, device, person or conversation here. */
  | "not_found"
  /** Only one's own messages can be edited or deleted. */
  | "not_yours"
  /** A recovery key was mistyped, or is not this vault's. */
  | "wrong_key"
  | "wrong_passphrase"
  /** There is no vault on the server. */
  | "no_vault"
  /** There is a vault already. */
  | "vault_exists"
  | "vault_full"
  /** What the server kept is not what was sealed. */
  | "vault_damaged"
  /** A scanned code is not one of ours, or of another account. */
  | "code_invalid"
  | "code_expired"
  /** Someone else (another tab) did the same at the same time. */
  | "conflict"
  /** A bug of ours. */
  | "internal";

/** A refusal as it crosses the port. */
export interface KeysRefusal {
  readonly code: KeysErrorCode;
  /** For developers; people are shown words for `code`. */
  readonly message: string;
  /** With `refused`. */
  readonly server?: ErrorCode;
  readonly retryAfterMs?: number;
  /** With `wrong_key`: where a typed recovery key goes wrong. */
  readonly problem?: KeyProblem;
}

/** Thrown by `KeysPort.ask`. */
export class KeysError extends Error {
  override readonly name = "KeysError";
  readonly refusal: KeysRefusal;

  constructor(refusal: KeysRefusal, options?: ErrorOptions) {
    super(refusal.message, options);
    this.refusal = refusal;
  }

  get code(): KeysErrorCode {
    return this.refusal.code;
  }
}

/** Whether this browser can read and write direct messages. */
export type DeviceState =
  /** Its storage is being read, or the server asked. */
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly deviceId: DeviceId }
  /**
   * The account has an identity, and this browser does not: it is brought here by another browser (`handoff:begin`), by the recovery key
   * or passphrase when `vault` is true (`vault:restore`), or given up (`device:startOver`). `replaced`: this browser has one, and the server
   * says that the account has another by now, which nothing can prove. Everything stays here until a person decides.
   */
  | {
      readonly kind: "identityElsewhere";
      readonly replaced: boolean;
      readonly vault: boolean;
      readonly passphrase: boolean;
    }
  /** Another browser took this one off the list, and signed that. `device:forget` empties it; then it can begin again. */
  | { readonly kind: "revoked" }
  /** Something failed that is tried again by itself, or by `device:retry`. `storage_failed` and `offline` mostly. */
  | { readonly kind: "failed"; readonly refusal: KeysRefusal };

/** One of the account's own devices. */
export interface OwnDeviceView {
  readonly deviceId: DeviceId;
  readonly name: string;
  readonly createdAt: Timestamp;
  /** To the hour. */
  readonly lastSeenAt: Timestamp;
  /** This browser. */
  readonly current: boolean;
}

/** A device of a person's, in a call. */
export interface CallDevice {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** What is known of someone's identity. */
export interface PeerState {
  readonly userId: UserId;
  /**
   * `unknown`: they have not set up encryption, or were not asked for yet. `trusted`: as first seen. `verified`: numbers were compared.
   * `changed`: it changed and they were not verified; messages go on, a line says so. `blocked`: it changed after verification; nothing is
   * sent until `peer:accept` or a new verification.
   */
  readonly trust: "unknown" | "trusted" | "verified" | "changed" | "blocked";
  /** When the present identity was first seen, by this machine's clock. */
  readonly sinceMs: number | null;
  /** How many devices they have. */
  readonly devices: number;
}

/** For comparing with the other person, in person or by voice. */
export interface SafetyNumber {
  readonly userId: UserId;
  /** 60 digits; shown in 12 groups of 5. Both people see the same. */
  readonly digits: string;
  /** For the QR code: 74 bytes, binary mode. */
  readonly code: Uint8Array;
  readonly trust: PeerState["trust"];
}

/** Why a message shows no words, in `DmMessage.secret`. */
export type Unreadable =
  /** Could not be decrypted (yet). `asking`: its sender's device was asked to send it again; `given_up`: after 3 tries. */
  | { readonly kind: "undecryptable"; readonly reason: FailureReason; readonly state: "asking" | "given_up" }
  /** The server says that it was removed, before this device had it. */
  | { readonly kind: "removed"; readonly state: "asking" | "given_up" }
  /** Of a kind that a newer LesCopains made. */
  | { readonly kind: "newer" };

/**
 * A message of a direct conversation as this device has it. `content` holds the words and `encrypted` is false once it was
 * decrypted; otherwise `content` is empty, `encrypted` is true, and `unreadable` says why.
 */
export interface DmMessage extends Message {
  readonly unreadable: Unreadable | null;
  /** Its author called, and nobody answered: there are no words. */
  readonly missedCall?: true;
}

/** One's own message or change that the server has not stored yet; it survives reloads. */
export interface DmPending {
  readonly nonce: string;
  readonly channelId: ChannelId;
  readonly content: DmContent;
  /** Epoch milliseconds by this machine's clock. */
  readonly createdAtMs: number;
  /** `failed`: refused for good, or held back; `failure` says why. `dm:retry` tries again. */
  readonly state: "waiting" | "failed";
  readonly failure: KeysRefusal | null;
}

/** A line in a conversation that is no message. It stands after the message with `afterSeq`. */
export interface DmNotice {
  readonly id: string;
  readonly channelId: ChannelId;
  /** The person has another safety number than before: a new phone, a new browser without recovery, or somebody in between. */
  readonly kind: "identity_changed";
  readonly userId: UserId;
  readonly afterSeq: Seq;
  readonly atMs: number;
}

/** Where a conversation stands on this device. */
export interface DmState {
  readonly channelId: ChannelId;
  /** The last event that this device has taken in. */
  readonly seenSeq: Seq;
  readonly readSeq: Seq;
  /** Messages of others after `readSeq`; changes and receipts are none. */
  readonly unread: number;
  /** The last message, for a list of conversations. */
  readonly last: DmMessage | null;
  /** How far each of the others has read, as they said themselves. */
  readonly readBy: Readonly<Record<UserId, Seq>>;
  /** People whose identity changed after verification: nothing is sent until this is empty. */
  readonly blockedBy: readonly UserId[];
  /** People who have no device yet: the others read what is sent, they do not. In a conversation of two nothing can be sent. */
  readonly withoutDevice: readonly UserId[];
  readonly notices: readonly DmNotice[];
}

export interface DmHistoryPage {
  /** Oldest first. */
  readonly messages: readonly DmMessage[];
  readonly notices: readonly DmNotice[];
  /** There are further messages beyond the page, in its direction. */
  readonly hasMore: boolean;
}

/** The vault: what the recovery key opens. */
export type VaultState =
  /** Not known yet. */
  | { readonly kind: "unknown" }
  /** None: losing every browser means losing the messages. */
  | { readonly kind: "none" }
  /** One exists and this browser does not have its key: `vault:unlock`, or `vault:replace`. */
  | { readonly kind: "locked"; readonly passphrase: boolean }
  /** `waiting`: records that are not on the server yet. `savedAtMs`: when the last one was. `failure`: why saving stopped. */
  | {
      readonly kind: "on";
      readonly passphrase: boolean;
      /** The key was shown and typed back once. */
      readonly confirmed: boolean;
      readonly waiting: number;
      readonly savedAtMs: number | null;
      readonly failure: KeysRefusal | null;
    };

/** Where a typed recovery key goes wrong. `count`: characters instead of 56. `checksum`: a mistake somewhere. */
export type KeyProblem =
  | { readonly kind: "character"; readonly at: number }
  | { readonly kind: "length"; readonly count: number }
  | { readonly kind: "checksum" }
  /** Well written, and not this vault's. */
  | { readonly kind: "other" };

/** A new browser waits for another one. */
export type HandoffState =
  /** Show `code` as a QR code (text mode), or to be copied; the other browser reads it. */
  | { readonly kind: "waiting"; readonly code: string; readonly expiresAt: Timestamp }
  /** The identity came; history is being restored. */
  | { readonly kind: "receiving" }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly refusal: KeysRefusal };

interface Ask<Question, Answer> {
  readonly question: Question;
  readonly answer: Answer;
}
type Nothing = Readonly<Record<string, never>>;

/** Name → what is asked and what is answered. */
export interface KeysRequests {
  /** Where this browser stands; also the event `device`. */
  readonly "device:state": Ask<Nothing, DeviceState>;
  /** Tries again after `failed`. */
  readonly "device:retry": Ask<Nothing, DeviceState>;
  /**
   * A new identity in place of the account's: all other browsers lose theirs, and everyone is told. A vault of the old identity stays
   * `locked`. @throws `wrong_password`
   */
  readonly "device:startOver": Ask<{ readonly password: string }, DeviceState>;
  /**
   * Deletes every key and message in this browser, for sign-out or after `revoked`. `revoke`: also takes the device off the account's
   * list, which needs the server; without it the device stays listed until another one revokes it. Keeps the vault.
   */
  readonly "device:forget": Ask<{ readonly revoke: boolean }, Nothing>;
  /** What `device:forget` would delete, to be said before. `unsaved`: messages that are in no vault. */
  readonly "device:holds": Ask<
    Nothing,
    { readonly messages: number; readonly unsaved: number; readonly pending: number; readonly lastDevice: boolean }
  >;

  /** Fresh from the server; also the event `devices` after each change. */
  readonly "devices:list": Ask<Nothing, readonly OwnDeviceView[]>;
  /** What one of them is called in the list. @throws `refused` with `not_found` */
  readonly "devices:rename": Ask<{ readonly deviceId: DeviceId; readonly name: string }, readonly OwnDeviceView[]>;
  /** They receive nothing from then on. @throws `not_found`; this browser's own device is revoked by `device:forget`. */
  readonly "devices:revoke": Ask<{ readonly deviceIds: readonly DeviceId[] }, readonly OwnDeviceView[]>;

  /** New browser: makes a code for another browser to read, and waits; progress by the event `handoff`. */
  readonly "handoff:begin": Ask<Nothing, HandoffState>;
  readonly "handoff:cancel": Ask<Nothing, Nothing>;
  /** Browser that has the identity: whether this text is a code of this account. @throws `code_invalid` */
  readonly "handoff:check": Ask<{ readonly code: string }, Nothing>;
  /** Gives the identity and the recovery key to the browser that shows the code. @throws `code_invalid`, `code_expired` */
  readonly "handoff:approve": Ask<{ readonly code: string }, Nothing>;

  /** What is known of a person, asked of the server when nothing is; also the event `peer`. */
  readonly "peer:state": Ask<{ readonly userId: UserId }, PeerState>;
  /** Goes on with a changed identity without comparing numbers: `blocked` or `changed` becomes `trusted`. */
  readonly "peer:accept": Ask<{ readonly userId: UserId }, PeerState>;
  /** @throws `no_devices` when they have no identity yet. */
  readonly "safety:number": Ask<{ readonly userId: UserId }, SafetyNumber>;
  /** Bytes of a scanned QR code. `match` marks the person verified, `mismatch` takes the mark away. */
  readonly "safety:scan": Ask<
    { readonly userId: UserId; readonly code: Uint8Array },
    { readonly result: "match" | "mismatch" | "not_a_code"; readonly peer: PeerState }
  >;
  /** The reader compared the digits (true), or takes the mark back. `digits` is what was on the screen. @throws `conflict` when they changed since. */
  readonly "safety:verify": Ask<
    { readonly userId: UserId; readonly digits: string; readonly verified: boolean },
    PeerState
  >;

  /** 32 bytes, the same until `device:forget`: for what is typed and must be on the disk before the device can answer. */
  readonly "pad:key": Ask<Nothing, Uint8Array>;

  /** A page of what this device has; without a cursor, the newest. */
  readonly "dm:history": Ask<
    { readonly channelId: ChannelId; readonly before?: Seq; readonly after?: Seq; readonly limit: number },
    DmHistoryPage
  >;
  /** All conversations that this device knows; also the event `dm:state` for each that changes. */
  readonly "dm:states": Ask<Nothing, readonly DmState[]>;
  readonly "dm:pending": Ask<Nothing, readonly DmPending[]>;
  /**
   * Answered once it is saved; then it is sent until the server has it. The same nonce is the same message. `writtenAtMs`: it was asked
   * then, by a page that did not hear the answer, and may have been sent since.
   */
  readonly "dm:send": Ask<
    {
      readonly channelId: ChannelId;
      readonly nonce: string;
      readonly content: DmContent;
      readonly writtenAtMs?: number;
    },
    Nothing
  >;
  readonly "dm:retry": Ask<{ readonly nonce: string }, Nothing>;
  readonly "dm:discard": Ask<{ readonly nonce: string }, Nothing>;
  /** Asks the sender's device once more for a message that was given up. */
  readonly "dm:askAgain": Ask<{ readonly channelId: ChannelId; readonly messageId: MessageId }, Nothing>;
  /** For whoever is connected; nothing is kept. */
  readonly "dm:typing": Ask<{ readonly channelId: ChannelId }, Nothing>;
  /** Read up to here: tells one's own other browsers, and the others in the conversation. */
  readonly "dm:read": Ask<{ readonly channelId: ChannelId; readonly seq: Seq }, Nothing>;

  /**
   * A message of the encryption of a call to devices, each over its session; answered once it is kept. Devices that are on no signed list, and
   * those of people whose identity changed after verification, get nothing. `anew`: over new sessions.
   */
  readonly "call:send": Ask<
    { readonly to: readonly CallDevice[]; readonly body: Uint8Array; readonly anew: boolean },
    Nothing
  >;
  /** The identity keys of people, 33 bytes each, asked of the server when nothing is known; one's own is there too. Who has none is left out. */
  readonly "call:identities": Ask<{ readonly userIds: readonly UserId[] }, ReadonlyMap<UserId, Uint8Array>>;

  /** Also the event `vault`. */
  readonly "vault:state": Ask<Nothing, VaultState>;
  /** Makes the vault and its key; the text is 14 groups of 4 characters. @throws `vault_exists` */
  readonly "vault:create": Ask<{ readonly passphrase: string | null }, { readonly recoveryKey: string }>;
  /** The key again, for who lost the paper and still has this browser. @throws `no_vault` */
  readonly "vault:show": Ask<Nothing, { readonly recoveryKey: string }>;
  /** Whether what was typed is the key; a right one marks it confirmed. */
  readonly "vault:confirm": Ask<{ readonly text: string }, { readonly problem: KeyProblem | null }>;
  /** Where a text goes wrong as a recovery key, while it is typed. */
  readonly "vault:check": Ask<{ readonly text: string }, { readonly problem: KeyProblem | null }>;
  /** Sets, changes or (null) removes the passphrase. */
  readonly "vault:passphrase": Ask<{ readonly passphrase: string | null }, VaultState>;
  /** A new vault with a new key; the old key opens nothing any more. @throws `wrong_password` */
  readonly "vault:replace": Ask<
    { readonly password: string; readonly passphrase: string | null },
    { readonly recoveryKey: string }
  >;
  /**
   * In state `identityElsewhere`: identity and history come back, progress by the event `restore`, then the device is `ready`. In
   * `locked`: this browser saves to the vault from now on. @throws `wrong_key`, `wrong_passphrase`, `no_vault`, `vault_damaged`
   */
  readonly "vault:restore": Ask<
    { readonly recoveryKey: string } | { readonly passphrase: string },
    { readonly messages: number }
  >;
}

export type KeysRequest = keyof KeysRequests;
export type KeysQuestion<N extends KeysRequest> = KeysRequests[N]["question"];
export type KeysAnswer<N extends KeysRequest> = KeysRequests[N]["answer"];

/** Name → what an event tells. */
export interface KeysEvents {
  readonly device: DeviceState;
  readonly devices: readonly OwnDeviceView[];
  readonly peer: PeerState;
  readonly handoff: HandoffState;
  readonly vault: VaultState;
  /** Records of the vault that were read, of those there are. */
  readonly restore: { readonly done: number; readonly total: number };
  /** Messages that are new or changed, by `seq`; each replaces the one with its id. `gone`: ids that turned out to be no messages. */
  readonly "dm:messages": {
    readonly channelId: ChannelId;
    readonly messages: readonly DmMessage[];
    readonly gone: readonly MessageId[];
  };
  readonly "dm:state": DmState;
  /** Everything of this conversation that is pending now, in order of writing. */
  readonly "dm:pending": { readonly channelId: ChannelId; readonly pending: readonly DmPending[] };
  readonly "dm:typing": { readonly channelId: ChannelId; readonly userId: UserId };
  /** Every key and message in this browser is deleted, here or in another tab. Nothing follows. */
  readonly forgotten: Nothing;
  /** What a device on its account's list wrote to this one for a call; told in all tabs. */
  readonly "call:message": { readonly from: CallDevice; readonly body: Uint8Array };
  /** A restored history, or an emptied one: what was held of every conversation is void. */
  readonly "dm:reset": Nothing;
}

export type KeysEvent = keyof KeysEvents;

/** The page's end of the port. */
export interface KeysPort {
  /** @throws KeysError */
  readonly ask: <N extends KeysRequest>(name: N, question: KeysQuestion<N>) => Promise<KeysAnswer<N>>;
  /** The answer stops it. */
  readonly on: <N extends KeysEvent>(name: N, listener: (event: KeysEvents[N]) => void) => () => void;
}
