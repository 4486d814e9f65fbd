import type {
  Channel,
  DirectChannel,
  Member,
  Message,
  Presence,
  Self,
  Server,
  StatusChoice,
  User,
} from "@lescopains/protocol/entities";
import type { LeaveReason } from "@lescopains/protocol/down";
import type { ErrorCode } from "@lescopains/protocol/errors";
import type { CallId, ChannelId, MessageId, Seq, ServerId, UserId } from "@lescopains/protocol/ids";
import type { FriendLists } from "@lescopains/protocol/rest";
import type { ReadonlySignal } from "@preact/signals";
import type { DmNotice, KeysPort, KeysRefusal } from "../keys/port.ts";
import type { ApiError } from "../net/api-error.ts";
import type { Wish } from "./reacting.ts";
import type { VoiceLine } from "./voice-line.ts";

/** The socket. `sinceMs`: epoch milliseconds at which it was lost or first tried. `offline`: the machine has no network. */
export type ConnectionState =
  | { readonly kind: "connected" }
  | { readonly kind: "connecting"; readonly sinceMs: number }
  | { readonly kind: "offline"; readonly sinceMs: number };

/** What to tell people about the connection: nothing while all is well and during the first 2 s without a socket. */
export type ConnectionNotice = "none" | "reconnecting" | "offline";

/** Members of a server as far as they are loaded, in no particular order. */
export interface MemberList {
  readonly members: readonly Member[];
  /** False until the first load is complete. */
  readonly complete: boolean;
  /** Why the last load failed; it is tried again while the server is open. */
  readonly error: ApiError | undefined;
}

/** Where the reader stands in a channel. */
export interface Unread {
  readonly lastSeq: Seq;
  readonly readSeq: Seq;
  /** New messages since `readSeq`; an upper bound until the channel was opened (changes between them count too). 0: all read. */
  readonly count: number;
}

/** Messages of a channel, as loaded: a gapless stretch ordered by `seq`. */
export interface TimelineView {
  readonly messages: readonly Message[];
  /** True once a page was loaded; before, show a skeleton. */
  readonly loaded: boolean;
  /** There are older messages on the server. False: `messages` begins with the first of the channel. */
  readonly hasOlder: boolean;
  /** There are newer messages than the last of `messages`: the reader is in the past. */
  readonly hasNewer: boolean;
  readonly loading: "none" | "newest" | "older" | "newer";
  /** Why the last load failed. */
  readonly error: ApiError | undefined;
}

/** A message that the server has not stored yet. */
export interface PendingMessage {
  readonly nonce: string;
  readonly channelId: ChannelId;
  readonly content: string;
  readonly replyTo: MessageId | null;
  /** Epoch milliseconds by this machine's clock. */
  readonly createdAtMs: number;
  /** `waiting`: sent as soon as possible. `failed`: refused for good; `failure` says why. */
  readonly state: "waiting" | "failed";
  readonly failure: ErrorCode | undefined;
  /** In a direct conversation: a call that nobody answered, without words. */
  readonly missedCall?: true;
  /** In a direct conversation, why this browser's device did not send it. */
  readonly refusal?: KeysRefusal | undefined;
}

/** A change of an existing message that shows before the server has confirmed it. */
export type Overlay = { readonly kind: "edited"; readonly content: string } | { readonly kind: "deleted" };

export interface SendInput {
  readonly content: string;
  readonly replyTo?: MessageId | null;
}

/** One channel's messages, and what one can do there. */
export interface Conversation {
  readonly channelId: ChannelId;
  readonly timeline: ReadonlySignal<TimelineView>;
  /** One's own messages that stand after the last of the timeline. */
  readonly pending: ReadonlySignal<readonly PendingMessage[]>;
  readonly overlays: ReadonlySignal<ReadonlyMap<MessageId, Overlay>>;
  /** One's own reactions that are not confirmed. */
  readonly wishes: ReadonlySignal<readonly Wish[]>;
  /** Lines that are no messages, by `afterSeq`; in direct conversations only. */
  readonly notices?: ReadonlySignal<readonly DmNotice[]>;
  /** Where the reader stopped: the line "new messages" stands after this `seq` until they write or leave. */
  readonly unreadFrom: ReadonlySignal<Seq | undefined>;
  /** Text typed and not sent; kept per account and channel over reloads. */
  readonly draft: ReadonlySignal<string>;
  readonly typing: ReadonlySignal<readonly UserId[]>;
  readonly unread: ReadonlySignal<Unread>;
  /** Loads what is missing and keeps the messages in memory until the answer is called. */
  readonly open: () => () => void;
  readonly loadOlder: () => void;
  readonly loadNewer: () => void;
  /** Asks again for what failed to load. */
  readonly reload: () => void;
  /** Forgets the stretch in view and loads the newest messages. */
  readonly jumpToPresent: () => void;
  /** Loads older pages until the message is there; false when it isn't within reach. */
  readonly reach: (messageId: MessageId) => Promise<boolean>;
  /** Loads older pages until the unread line has its place; false when it isn't within reach. */
  readonly reachUnread: () => Promise<boolean>;
  /** Stands at once in `pending`; kept and sent again until the server has it or refuses it for good. */
  readonly send: (input: SendInput) => void;
  /** In a direct conversation: nobody answered this call of one's own. Noted once, however many browsers of one's own do. */
  readonly noteMissedCall?: (callId: CallId) => void;
  readonly retry: (nonce: string) => void;
  readonly discard: (nonce: string) => void;
  /** Shows at once. @throws ApiError when refused; the change is taken back then. */
  readonly edit: (messageId: MessageId, content: string) => Promise<void>;
  /** Shows at once. @throws ApiError when refused; the message comes back then. */
  readonly remove: (messageId: MessageId) => Promise<void>;
  /** Adds one's own reaction or, not `on`, takes it back; shows at once. @throws ApiError when refused; it is undone then. */
  readonly react: (messageId: MessageId, emoji: string, on: boolean) => Promise<void>;
  readonly setDraft: (text: string) => void;
  /** Someone types here; tells the others at most every 5 s. */
  readonly noteTyping: () => void;
  /** The newest message is in view: marks the channel read, soon, if the page is being looked at. */
  readonly noteSeen: () => void;
  readonly clearUnreadLine: () => void;
}

/** What happened that no signal shows by itself; for a passing notice. */
export type Happening =
  | { readonly kind: "serverLeft"; readonly server: Server; readonly reason: LeaveReason }
  | { readonly kind: "channelDeleted"; readonly channel: Channel }
  /** One left it, or was removed. */
  | { readonly kind: "dmRemoved"; readonly channel: DirectChannel };

/** Everything of a signed-in person. Methods that answer a signal answer the same one for the same id. */
export interface Live {
  readonly self: ReadonlySignal<Self>;
  /** The device of this browser: everything secret. */
  readonly keys: KeysPort;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly notice: ReadonlySignal<ConnectionNotice>;
  /** True once the servers are known; they stay known while reconnecting. */
  readonly ready: ReadonlySignal<boolean>;

  /** In the order of joining. */
  readonly servers: ReadonlySignal<readonly Server[]>;
  readonly server: (serverId: ServerId) => ReadonlySignal<Server | undefined>;
  /** The channels one may view, by position. */
  readonly channels: (serverId: ServerId) => ReadonlySignal<readonly Channel[]>;
  readonly channel: (channelId: ChannelId) => ReadonlySignal<Channel | DirectChannel | undefined>;
  readonly dms: ReadonlySignal<readonly DirectChannel[]>;
  /** Takes in the answer of `createServer`, `joinInvite`, `patchServer` … before its event comes. */
  readonly putServer: (server: Server) => void;
  readonly putChannel: (channel: Channel | DirectChannel) => void;

  readonly friends: ReadonlySignal<FriendLists>;
  /** Asks for them again, after a change of one's own and before its event comes. */
  readonly refreshFriends: () => void;
  /** Whether one has blocked a person. */
  readonly blocked: (userId: UserId) => ReadonlySignal<boolean>;
  /** Takes in the answer of `putBlock` or `deleteBlock` before its event comes. */
  readonly putBlock: (userId: UserId, isBlocked: boolean) => void;

  readonly members: (serverId: ServerId) => ReadonlySignal<MemberList>;
  /** Loads a server's members and keeps them current until the answer is called. */
  readonly openServer: (serverId: ServerId) => () => void;

  /** `offline` when nothing is known. */
  readonly presence: (userId: UserId) => ReadonlySignal<Presence>;
  /** One's own choice, kept and told again after a reconnect. */
  readonly ownStatus: ReadonlySignal<{ readonly status: StatusChoice; readonly customStatus: string | null }>;
  readonly setStatus: (status: StatusChoice, customStatus: string | null) => void;

  /** A person's name: `undefined` while it is asked, `null` when the account is gone. */
  readonly person: (userId: UserId) => ReadonlySignal<User | null | undefined>;
  readonly unread: (channelId: ChannelId) => ReadonlySignal<Unread>;
  /** True when any channel of the server has something new. */
  readonly unreadInServer: (serverId: ServerId) => ReadonlySignal<boolean>;
  readonly conversation: (channelId: ChannelId) => Conversation;

  /** Who is in which voice channel or call. */
  readonly voice: VoiceLine;

  /** The server was restored from a backup, and the person has not read yet that something may be missing. */
  readonly restored: ReadonlySignal<boolean>;
  readonly noteRestoredRead: () => void;

  readonly onHappening: (listener: (happening: Happening) => void) => () => void;
  readonly setSelf: (user: Self) => void;
  /** Ends the socket and all timers. The client calls it at sign-out. */
  readonly close: () => void;
}
