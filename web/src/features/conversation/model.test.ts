import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import { describe, expect, test } from "vitest";
import type { DmNotice } from "../../keys/port.ts";
import type { PendingMessage } from "../../sync/live-types.ts";
import {
  contentOf,
  estimatedHeightPx,
  keyAt,
  lastOwnMessage,
  readersOf,
  newCount,
  remainingShown,
  rowAt,
  rowCount,
  rowsOf,
  sendableText,
  wantsNewer,
  wantsOlder,
} from "./model.ts";

const CHANNEL = "018f0000-0000-7000-8000-000000000001" as ChannelId;
const ANA = "018f0000-0000-7000-8000-0000000000aa" as UserId;
const LEO = "018f0000-0000-7000-8000-0000000000bb" as UserId;

function at(seq: number, minutes: number, authorId: UserId | null = ANA, more: Partial<Message> = {}): Message {
  return {
    id: `018f0000-0000-7000-9000-${String(seq).padStart(12, "0")}` as MessageId,
    channelId: CHANNEL,
    seq,
    changedSeq: seq,
    authorId,
    content: `message ${seq}`,
    contentType: "text",
    encrypted: false,
    metadata: null,
    nonce: `n${seq}`,
    replyTo: null,
    threadId: null,
    createdAt: new Date(2026, 10, 22, 10, minutes).toISOString(),
    editedAt: null,
    deleted: false,
    reactions: [],
    ...more,
  };
}

const waiting: PendingMessage = {
  nonce: "p1",
  channelId: CHANNEL,
  content: "soon",
  replyTo: null,
  createdAtMs: new Date(2026, 10, 22, 10, 3).getTime(),
  state: "waiting",
  failure: undefined,
};

function heads(messages: readonly Message[], unreadFrom?: number): string[] {
  const rows = rowsOf(messages, [], LEO, unreadFrom, false);
  return messages.map((_, index) => {
    const row = rowAt(rows, index);
    return `${row?.startsDay === true ? "day " : ""}${row?.startsNew === true ? "new " : ""}${row?.startsGroup === true ? "group" : "-"}`;
  });
}

describe("rows", () => {
  test("[CV1] messages of one author within 5 minutes of each other stand under one heading", () => {
    expect(heads([at(1, 0), at(2, 5), at(3, 10), at(4, 16), at(5, 16, LEO), at(6, 16)])).toEqual([
      "day group",
      "-",
      "-",
      "group",
      "group",
      "group",
    ]);
  });

  test("[CV2] a new day begins with a rule and a heading", () => {
    const late = at(1, 0, ANA, { createdAt: new Date(2026, 10, 22, 23, 59).toISOString() });
    const early = at(2, 0, ANA, { createdAt: new Date(2026, 10, 23, 0, 1).toISOString() });
    expect(heads([late, early])).toEqual(["day group", "day group"]);
  });

  test("[CV3] an answer has its own heading, so that its quote has a place", () => {
    expect(heads([at(1, 0), at(2, 0, ANA, { replyTo: at(1, 0).id })])).toEqual(["day group", "group"]);
  });

  test("[CV4] the line stands before the first new message of someone else, deleted ones aside", () => {
    const messages = [at(1, 0), at(2, 0), at(3, 0, LEO), at(4, 0, ANA, { deleted: true }), at(5, 0), at(6, 0)];
    expect(heads(messages, 2)).toEqual(["day group", "-", "group", "group", "new group", "-"]);
    expect(newCount(rowsOf(messages, [], LEO, 2, false))).toBe(2);
  });

  test("[CV5] there is no line while the first new message is not loaded", () => {
    expect(rowsOf([at(8, 0), at(9, 0)], [], LEO, 3, true).newIndex).toBe(-1);
    expect(rowsOf([at(8, 0), at(9, 0)], [], LEO, 3, false).newIndex).toBe(0);
    expect(rowsOf([at(8, 0)], [], LEO, 8, false).newIndex).toBe(-1);
  });

  test("[CV6] pending messages stand after the last, and keep their key when they are stored", () => {
    const rows = rowsOf([at(1, 0)], [waiting], ANA, undefined, false);
    expect(rowCount(rows)).toBe(2);
    expect(rowAt(rows, 1)).toMatchObject({ key: "p1", authorId: ANA, startsGroup: false });
    expect(keyAt(rowsOf([at(1, 0), at(2, 3, ANA, { nonce: "p1" })], [], ANA, undefined, false), 1)).toBe("p1");
  });

  test("[CV7] somebody else's nonce is never a key", () => {
    expect(keyAt(rowsOf([at(1, 0, LEO, { nonce: "p1" })], [], ANA, undefined, false), 0)).toBe(at(1, 0).id);
  });

  test("[CV8] a line about a changed number stands after the message it came after, or on the page of that message", () => {
    const line = (afterSeq: number): DmNotice =>
      ({
        id: `line ${afterSeq}`,
        channelId: CHANNEL,
        kind: "identity_changed",
        userId: ANA,
        afterSeq,
        atMs: 0,
      }) as const;
    const rows = rowsOf([at(4, 0), at(6, 0)], [waiting], LEO, undefined, true, [line(2), line(4), line(5), line(7)]);
    const above = [0, 1, 2].map((index) => rowAt(rows, index)?.noticesAbove.map(({ id }) => id));
    expect(above).toEqual([[], ["line 4", "line 5"], ["line 7"]]);
    expect(rowAt(rows, 1)?.startsGroup).toBe(true);
    const last = rowsOf([at(4, 0)], [], LEO, undefined, false, [line(0), line(9)]);
    expect(rowAt(last, 0)?.noticesAbove.map(({ id }) => id)).toEqual(["line 0"]);
    expect(rowAt(last, 0)?.noticesBelow.map(({ id }) => id)).toEqual(["line 9"]);
  });

  test("what is outside is no row", () => {
    const rows = rowsOf([at(1, 0)], [], ANA, undefined, false);
    expect(rowAt(rows, 1)).toBeUndefined();
    expect(rowAt(rows, -1)).toBeUndefined();
  });

  test("an unconfirmed edit or deletion shows at once", () => {
    const entry = { kind: "message", message: at(1, 0) } as const;
    expect(contentOf(entry, undefined)).toBe("message 1");
    expect(contentOf(entry, { kind: "edited", content: "better" })).toBe("better");
    expect(contentOf(entry, { kind: "deleted" })).toBeNull();
  });

  test("the message to edit is the last of one's own that is not deleted", () => {
    const rows = rowsOf(
      [at(1, 0), at(2, 0), at(3, 0, ANA, { deleted: true }), at(4, 0, LEO)],
      [],
      ANA,
      undefined,
      false,
    );
    expect(lastOwnMessage(rows)?.seq).toBe(2);
  });

  test("a longer message is expected to be higher", () => {
    const rows = rowsOf(
      [at(1, 0), at(2, 0, ANA, { content: "a\nb\nc" }), at(3, 0, ANA, { content: "x".repeat(400) })],
      [],
      LEO,
      undefined,
      false,
    );
    expect(estimatedHeightPx(rows, 1)).toBeGreaterThan(estimatedHeightPx(rows, 0) - 38);
    expect(estimatedHeightPx(rows, 2)).toBeGreaterThan(estimatedHeightPx(rows, 1));
  });
});

test("whoever said they read that far has read it, oneself aside", () => {
  const participants = [ANA, LEO].map((id) => ({ id, username: id, displayName: id }));
  const readers = (readBy: Record<UserId, number>) => readersOf(5, readBy, { participants }, ANA).map(({ id }) => id);
  expect(readers({ [LEO]: 5, [ANA]: 9 })).toEqual([LEO]);
  expect(readers({ [LEO]: 4 })).toEqual([]);
  expect(readers({})).toEqual([]);
});

describe("scrolling and writing", () => {
  test("pages are asked for about two screens ahead", () => {
    expect(wantsOlder({ firstIndex: 39, lastIndex: 60, count: 500 })).toBe(true);
    expect(wantsOlder({ firstIndex: 40, lastIndex: 60, count: 500 })).toBe(false);
    expect(wantsNewer({ firstIndex: 440, lastIndex: 460, count: 500 })).toBe(true);
    expect(wantsNewer({ firstIndex: 400, lastIndex: 459, count: 500 })).toBe(false);
  });

  test("the limit is counted near the end only, and a text too long or blank is not sent", () => {
    expect(remainingShown("x".repeat(3_799))).toBeUndefined();
    expect(remainingShown("x".repeat(3_990))).toBe(10);
    expect(remainingShown("x".repeat(4_001))).toBe(-1);
    expect(sendableText("x".repeat(4_001))).toBe(false);
    expect(sendableText(" \n ")).toBe(false);
    expect(sendableText(" a ")).toBe(true);
  });
});
