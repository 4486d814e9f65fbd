import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  AttachmentTooLarge,
  decodeAttachment,
  encodeCandidate,
  encodeSession,
  handshakeBytes,
  type KeptSession,
  maxAttachmentBytes,
} from "./attachment.ts";

const seed = 20261122;

function session(app: unknown): KeptSession {
  return {
    sid: "3.abc",
    openedMs: 1,
    seenMs: 2,
    pingedMs: 0,
    handshake: { url: "https://example.org/socket.io/?EIO=4", headers: [["origin", "https://example.org"]] },
    app,
  };
}

describe("attachment", () => {
  test("[IO60] what is kept comes back as it was", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (app) => {
        const kept = session(JSON.parse(JSON.stringify(app)));
        expect(decodeAttachment(encodeSession(kept))).toEqual(kept);
      }),
      { seed },
    );
    expect(decodeAttachment(encodeCandidate({ candidateFor: "3.abc" }))).toEqual({ candidateFor: "3.abc" });
  });

  test("[IO60] what this layout did not write is not taken for a session", () => {
    const layout = encodeSession(session(null)).slice(0, 7);
    for (const value of [
      null,
      undefined,
      7,
      {},
      "",
      "[]",
      '["eio0","x"]',
      `${layout},"x",1,2,3,4,5,6]`,
      `${layout}]`,
    ]) {
      expect(decodeAttachment(value)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(decodeAttachment(value)).toBeUndefined();
      }),
      { seed },
    );
  });

  test("[IO75] the limit counts bytes as the runtime writes them", () => {
    const room = maxAttachmentBytes - encodeSession(session("")).length;
    expect(() => encodeSession(session("x".repeat(room)))).not.toThrow();
    expect(() => encodeSession(session("x".repeat(room + 1)))).toThrow(AttachmentTooLarge);
    // One character beyond Latin-1 doubles the whole text.
    expect(() => encodeSession(session(`${"x".repeat(room / 2)}€`))).toThrow(AttachmentTooLarge);
  });

  test("[IO3] a handshake is measured as it is kept, its quotes escaped", () => {
    const plain = handshakeBytes({ url: "/", headers: [["a", "x".repeat(100)]] });
    expect(handshakeBytes({ url: "/", headers: [["a", '"'.repeat(100)]] })).toBe(plain + 100);
  });
});
