import { expect, test } from "vitest";
import { isEncrypted } from "./guard.ts";

function sender(bytesSent: number): RTCRtpSender {
  return {
    transport: { state: "connected" },
    getStats: async () => new Map([["out", { type: "outbound-rtp", bytesSent }]]),
  } as unknown as RTCRtpSender;
}

test("[VC68] media that leave without having gone through the worker are found", async () => {
  expect(
    await isEncrypted(
      sender(100),
      async () => false,
      () => false,
    ),
  ).toBe(false);
  expect(
    await isEncrypted(
      sender(100),
      async () => true,
      () => false,
    ),
  ).toBe(true);
});

test("[VC68] a stay that ends while it is being looked has sent nothing past its encryption", async () => {
  let isOver = false;
  const wentThrough = async (): Promise<boolean> => {
    // The worker counts for nobody now.
    isOver = true;
    return false;
  };
  expect(await isEncrypted(sender(100), wentThrough, () => isOver)).toBe(true);
});
