import { describe, expect, test } from "vitest";

import { Polling, readBody } from "./polling.ts";

describe("polling queue", () => {
  test("[IO10] frames of one turn leave in one payload, binary as base64", async () => {
    const polling = new Polling(10_000);
    const body = polling.poll();
    polling.push("4a");
    polling.push(Uint8Array.of(0, 255));
    polling.push(Uint8Array.of(9, 1, 2, 9).subarray(1, 3));
    expect(await body).toBe("4a\u001EbAP8=\u001EbAQI=");
    expect(polling.isHeld).toBe(false);
    expect(polling.isEmpty).toBe(true);
  });

  test("[IO10] large binary frames survive base64", async () => {
    const polling = new Polling(1_000_000);
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    polling.push(bytes);
    expect(await polling.poll()).toBe(`b${Buffer.from(bytes).toString("base64")}`);
  });

  test("[IO10] a flush without a held GET keeps everything for the next", async () => {
    const polling = new Polling(10_000);
    polling.push("4a");
    polling.flush("6");
    expect(await polling.poll()).toBe("4a");
  });

  test("[IO14] the queue is bounded in bytes and, by the overhead of each, in frames", () => {
    const polling = new Polling(1_000);
    expect(polling.push("x".repeat(900))).toBe(true);
    expect(polling.push("x".repeat(100))).toBe(false);
    const empty = new Polling(1_000);
    let count = 0;
    while (empty.push("")) count++;
    expect(count).toBeLessThan(20);
  });

  test("[IO12] bodies are read up to the limit and no further", async () => {
    const post = (body: string): Request => new Request("http://localhost/", { method: "POST", body });
    expect(await readBody(post("é".repeat(50)), 100)).toBe("é".repeat(50));
    expect(await readBody(post("é".repeat(51)), 100)).toBeUndefined();
    expect(await readBody(new Request("http://localhost/", { method: "POST" }), 100)).toBe("");
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(60));
      },
    });
    const init: RequestInit & { duplex: "half" } = { method: "POST", body: endless, duplex: "half" };
    expect(await readBody(new Request("http://localhost/", init), 100)).toBeUndefined();
    expect(pulled).toBeLessThan(10);
  });
});
