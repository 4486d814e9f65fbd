import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { DEFAULT_PERMISSIONS, PERMISSIONS } from "@lescopains/protocol/permissions";
import type { MessageSend } from "@lescopains/protocol/up";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DIRECT_PERMISSIONS } from "../../db/dms.ts";
import { type Admitted, batchLength, changeOf, newMessage, refusal, type Write } from "./core.ts";

const channelId = "01980000-0000-7000-8000-000000000001" as ChannelId;
const messageId = "01980000-0000-7000-8000-000000000002" as MessageId;
const alice = "01980000-0000-7000-8000-00000000000a" as UserId;

function send(nonce: string, userId = alice, encrypted = false): Extract<Write, { kind: "send" }> {
  return {
    kind: "send",
    userId,
    deviceId: null,
    input: { channelId, content: "salut", contentType: "text", nonce, encrypted },
  };
}
const edit: Write = {
  kind: "edit",
  userId: alice,
  input: { channelId, messageId, content: "salut !", encrypted: false },
};
const remove: Write = { kind: "delete", userId: alice, input: { channelId, messageId } };
const react: Write = { kind: "react", userId: alice, input: { channelId, messageId, emoji: "👍" }, on: true };
const unreact: Write = { ...react, on: false };
const admitted = (write: Write): Admitted => ({ write, bits: DEFAULT_PERMISSIONS });
const plain = { encrypted: false, direct: null };
const closed = { encrypted: true, direct: null };

test("[CH1] who may not view a channel is told that there is none", () => {
  for (const write of [send("1"), edit, remove, react, unreact]) {
    expect(refusal(plain, write, PERMISSIONS.sendMessages, 0)?.code).toBe("not_found");
  }
});

test("[CH2] who may view but not send is refused, for messages and edits; deleting needs no right to send", () => {
  const bits = PERMISSIONS.viewChannel;
  expect(refusal(plain, send("1"), bits, 0)?.code).toBe("forbidden");
  expect(refusal(plain, edit, bits, 0)?.code).toBe("forbidden");
  expect(refusal(plain, remove, bits, 0)).toBeNull();
});

test("[REA3] adding a reaction needs the right to react, and none to send; taking it back needs neither", () => {
  const bits = PERMISSIONS.viewChannel;
  expect(refusal(plain, react, bits | PERMISSIONS.sendMessages, 0)?.code).toBe("forbidden");
  expect(refusal(plain, react, bits | PERMISSIONS.addReactions, 0)).toBeNull();
  expect(refusal(plain, unreact, bits, 0)).toBeNull();
});

test("[CH3] an encrypted channel takes no plain text, whoever sends it", () => {
  const bits = PERMISSIONS.administrator;
  expect(refusal(closed, send("1"), bits, 0)?.code).toBe("encryption_required");
  expect(refusal(closed, edit, bits, 0)?.code).toBe("encryption_required");
  expect(refusal(closed, react, bits, 0)?.code).toBe("encryption_required");
  expect(refusal(closed, unreact, bits, 0)).toBeNull();
  expect(refusal(closed, send("1", alice, true), bits, 0)).toBeNull();
});

test("[CH4] a full queue refuses with the time to wait, and loses nothing it has", () => {
  const refused = refusal(plain, send("1"), DEFAULT_PERMISSIONS, LIMITS.channelQueue);
  expect(refused).toMatchObject({ code: "rate_limited" });
  expect(refused?.retryAfterMs).toBeGreaterThan(0);
});

test("[CH5] a batch is a run of messages with distinct nonces, or one change of a message", () => {
  expect(batchLength([])).toBe(0);
  expect(batchLength([send("1"), send("2"), edit, send("3")].map(admitted))).toBe(2);
  expect(batchLength([edit, send("1")].map(admitted))).toBe(1);
  expect(batchLength([remove, remove].map(admitted))).toBe(1);
  expect(batchLength([react, send("1")].map(admitted))).toBe(1);
  expect(batchLength([send("1"), send("1")].map(admitted))).toBe(1);
});

test("[CH5] cutting batches off any queue keeps every write once and in order", () => {
  const writes = fc.array(
    fc.oneof(
      fc.nat(20).map((n) => send(String(n))),
      fc.constant(edit),
      fc.constant(remove),
      fc.constant(react),
    ),
    { maxLength: 600 },
  );
  fc.assert(
    fc.property(writes, (queue) => {
      const rest = queue.map(admitted);
      const cut: Write[] = [];
      while (rest.length > 0) {
        const batch = rest.splice(0, batchLength(rest));
        expect(batch.length).toBeGreaterThan(0);
        const nonces = batch.flatMap(({ write }) => (write.kind === "send" ? [write.input.nonce] : []));
        expect(new Set(nonces).size).toBe(nonces.length);
        expect(nonces.length === batch.length || batch.length === 1).toBe(true);
        cut.push(...batch.map(({ write }) => write));
      }
      expect(cut).toEqual(queue);
    }),
    { seed: 7 },
  );
});

/** A sealed message of a device. */
function sealed(more: Partial<MessageSend> = {}, deviceId: number | null = 1): Extract<Write, { kind: "send" }> {
  const ciphertexts = [{ userId: alice, deviceId: 2, type: 2, body: "AA==" } as const];
  const input = {
    channelId,
    content: "",
    contentType: "text",
    nonce: "1",
    encrypted: false,
    ciphertexts,
    ...more,
  } as const;
  return { kind: "send", userId: alice, deviceId, input };
}

test("[DM3] a direct conversation takes sealed messages of a device, deletions, and nothing else", () => {
  for (const direct of ["dm", "group_dm"] as const) {
    const judge = (write: Write) => refusal({ encrypted: true, direct }, write, DIRECT_PERMISSIONS, 0)?.code;
    expect(judge(sealed())).toBeUndefined();
    expect(judge(remove)).toBeUndefined();
    expect(judge(edit)).toBe("encryption_required");
    expect(judge(react)).toBe("encryption_required");
    expect(judge(send("1"))).toBe("encryption_required");
    expect(judge(send("1", alice, true))).toBe("encryption_required");
    expect(judge(sealed({}, null))).toBe("device_required");
    expect(judge(sealed({ metadata: {} }))).toBe("invalid_request");
    expect(judge(sealed({ replyTo: messageId }))).toBe("invalid_request");
    expect(judge(sealed({ contentType: "image" }))).toBe("invalid_request");
    const shared = sealed({ content: "AA==", listVersions: { [alice]: 1 } });
    const { ciphertexts: _, ...input } = shared.input;
    expect(judge({ ...shared, input })).toBe(direct === "dm" ? "invalid_request" : undefined);
    expect(refusal({ encrypted: true, direct }, sealed(), 0n, 0)?.code).toBe("not_found");
  }
});

test("[DM3] a channel of a server takes no sealed messages", () => {
  expect(refusal(plain, sealed(), PERMISSIONS.administrator, 0)?.code).toBe("invalid_request");
  expect(refusal(closed, sealed(), PERMISSIONS.administrator, 0)?.code).toBe("invalid_request");
});

test("[CH5] sealed messages are stored one at a time", () => {
  expect(batchLength([sealed(), sealed({ nonce: "2" })].map(admitted))).toBe(1);
  expect(batchLength([send("1"), sealed({ nonce: "2" })].map(admitted))).toBe(1);
});

test("[CH6] the author of an event is who was authenticated", () => {
  const event = newMessage(channelId, send("1"), { id: messageId, seq: 4, createdAt: "2026-01-01T00:00:00.000Z" });
  expect(event).toMatchObject({
    event: "message:new",
    body: { authorId: alice, seq: 4, changedSeq: 4, nonce: "1", deleted: false },
  });
});

test("[CH7] a message that was stored but not told is told as what happened to it last", () => {
  const event = newMessage(channelId, send("1"), { id: messageId, seq: 4, createdAt: "2026-01-01T00:00:00.000Z" });
  if (event.event !== "message:new") throw new Error("a stored message is new");
  const message = event.body;
  expect(changeOf(message)).toEqual(event);
  const edited = { ...message, changedSeq: 7, content: "salut !", editedAt: "2026-01-01T00:00:01.000Z" };
  expect(changeOf(edited)).toMatchObject({
    event: "message:edited",
    body: { id: messageId, seq: 7, content: "salut !" },
  });
  expect(changeOf({ ...edited, changedSeq: 9, content: "", deleted: true })).toEqual({
    event: "message:deleted",
    body: { id: messageId, channelId, seq: 9 },
  });
});
