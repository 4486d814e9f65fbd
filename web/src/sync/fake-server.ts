/** A server with one channel, as far as a client can see it: for tests of the whole of `Live` without a network. */
import type { Channel, Message, Self, Server } from "@lescopains/protocol/entities";
import type { ChannelId, Generation, MessageId, Seq, ServerId, UserId } from "@lescopains/protocol/ids";
import type { HistoryPage } from "@lescopains/protocol/rest";
import { ApiError } from "../net/api-error.ts";
import type { Api } from "../net/rest.ts";
import type { FakeWire } from "./fakes.ts";
import { reacted } from "./reacting.ts";
import { withReaction } from "./timeline.ts";

export const SERVER = "018f0000-0000-7000-8000-000000000001" as ServerId;
export const CHANNEL = "018f0000-0000-7000-8000-000000000002" as ChannelId;
export const ANA = "018f0000-0000-7000-8000-0000000000aa" as UserId;
export const LEO = "018f0000-0000-7000-8000-0000000000bb" as UserId;
const AT = "2026-11-22T10:00:00.000Z";

export const self: Self = {
  id: ANA,
  username: "ana",
  displayName: "Ana",
  email: null,
  totpEnabled: false,
  operator: false,
  createdAt: AT,
};

interface Sent {
  readonly channelId: ChannelId;
  readonly content: string;
  readonly nonce: string;
  readonly messageId: MessageId;
  readonly channels: Record<string, Seq>;
  readonly seq: Seq;
  readonly emoji: string;
}

export class FakeServer {
  readonly messages: Message[] = [];
  readonly marks: Seq[] = [];
  generation = "018f0000-0000-4000-8000-0000000000a1" as Generation;
  lastSeq: Seq = 0;
  readSeq: Seq = 0;
  syncLimit = 100;
  pageLimit = 50;
  syncs = 0;
  pages = 0;
  /** Refuses the next message with this. */
  refusal: ApiError | undefined;
  private readonly wire: FakeWire;

  constructor(wire: FakeWire) {
    this.wire = wire;
    wire.answer = (event, body) => this.answer(event, body as Sent);
  }

  get channel(): Channel {
    return {
      id: CHANNEL,
      serverId: SERVER,
      name: "general",
      type: "text",
      topic: null,
      position: 0,
      parentId: null,
      encrypted: false,
      createdAt: AT,
      overwrites: [],
      permissions: "196608",
      lastSeq: this.lastSeq,
      messageSeq: this.messages.at(-1)?.seq ?? 0,
      readSeq: this.readSeq,
    };
  }

  get server(): Server {
    return {
      id: SERVER,
      name: "Home",
      iconUrl: null,
      ownerId: ANA,
      encrypted: false,
      createdAt: AT,
      memberCount: 2,
      permissions: "196608",
      channels: [this.channel],
      roles: [],
    };
  }

  ready(): void {
    const sessionId = "018f0000-0000-7000-8000-0000000000ee";
    this.wire.push("ready", {
      user: self,
      servers: [this.server],
      dms: [],
      presences: [],
      voice: [],
      blocked: [],
      sessionId,
      generation: this.generation,
      deviceId: null,
    });
  }

  /** As tools/backup: the first `kept` messages, and numbers that were never given out. */
  restore(kept: number): void {
    this.messages.splice(kept);
    this.lastSeq += 1_000_000;
    this.readSeq = this.lastSeq;
    this.generation = crypto.randomUUID() as Generation;
  }

  /** Somebody writes; `told`: the event reaches the client. */
  post(content: string, told = true, authorId: UserId = LEO, nonce = `leo-${this.lastSeq}`): Message {
    this.lastSeq += 1;
    const message: Message = {
      id: `018f0000-0000-7000-9000-${String(this.lastSeq).padStart(12, "0")}` as MessageId,
      channelId: CHANNEL,
      seq: this.lastSeq,
      changedSeq: this.lastSeq,
      authorId,
      content,
      contentType: "text",
      encrypted: false,
      metadata: null,
      nonce,
      replyTo: null,
      threadId: null,
      createdAt: AT,
      editedAt: null,
      deleted: false,
      reactions: [],
    };
    this.messages.push(message);
    if (told) this.wire.push("message:new", message);
    return message;
  }

  private answer(event: string, body: Sent): unknown {
    if (event === "message:send") return this.store(body);
    if (event === "sync") return this.sync(body.channels[CHANNEL] ?? 0);
    if (event === "read:mark") {
      this.marks.push(body.seq);
      this.readSeq = Math.max(this.readSeq, body.seq);
      return { ok: true, seq: this.readSeq };
    }
    if (event === "message:edit") return this.edit(body.messageId, body.content);
    if (event === "reaction:add" || event === "reaction:remove") return this.react(body, event === "reaction:add");
    return { ok: true };
  }

  private react({ messageId, emoji }: Pick<Sent, "messageId" | "emoji">, on: boolean): unknown {
    const index = this.messages.findIndex(({ id }) => id === messageId);
    const message = this.messages[index];
    if (message === undefined) return { ok: false, error: { code: "not_found", message: "gone" } };
    if (reacted(message.reactions, emoji, ANA) === on) return { ok: true, seq: null };
    this.lastSeq += 1;
    const reactions = withReaction(message.reactions, emoji, ANA, on);
    this.messages[index] = { ...message, reactions, changedSeq: this.lastSeq };
    return { ok: true, seq: this.lastSeq };
  }

  /** `told`: its event goes out before the acknowledgement. */
  store({ content, nonce }: Pick<Sent, "content" | "nonce">, told = true): unknown {
    if (this.refusal !== undefined) {
      const { code, message, retryAfterMs } = this.refusal;
      this.refusal = undefined;
      return { ok: false, error: { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } };
    }
    const stored = this.messages.find((one) => one.nonce === nonce) ?? this.post(content, told, ANA, nonce);
    return { ok: true, id: stored.id, seq: stored.seq, createdAt: stored.createdAt };
  }

  private edit(id: MessageId, content: string): unknown {
    const index = this.messages.findIndex((message) => message.id === id);
    const message = this.messages[index];
    if (message === undefined) return { ok: false, error: { code: "not_found", message: "gone" } };
    this.lastSeq += 1;
    this.messages[index] = { ...message, content, changedSeq: this.lastSeq, editedAt: AT };
    return { ok: true, id, seq: this.lastSeq, editedAt: AT };
  }

  private sync(after: Seq): unknown {
    this.syncs += 1;
    const changed = this.messages
      .filter(({ changedSeq }) => changedSeq > after)
      .toSorted((a, b) => a.changedSeq - b.changedSeq);
    const more = changed.length > this.syncLimit;
    const messages = changed.slice(0, this.syncLimit);
    return { ok: true, channels: { [CHANNEL]: { messages, lastSeq: this.lastSeq, more } }, more };
  }

  private page(before: number): HistoryPage {
    this.pages += 1;
    const older = this.messages.filter(({ seq }) => seq < before);
    const messages = older.slice(-this.pageLimit).toReversed();
    return { messages, hasMore: older.length > messages.length, lastSeq: this.lastSeq };
  }

  /** Routes that `Live` calls; the contract's types are kept by the client's own parsing, which this replaces. */
  readonly api: Api = {
    call: (async (name: string, args?: { query?: { before?: number } }) => {
      if (name === "listMessages") return this.page(args?.query?.before ?? Number.POSITIVE_INFINITY);
      if (name === "listMembers") return { members: [], next: null };
      throw new ApiError({ code: "not_found", message: name });
    }) as Api["call"],
  };
}
