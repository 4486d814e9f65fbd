/** How often it is looked whether the frames of a new sender really go through the worker. */
const LOOK_EVERY_MS = 250;

/**
 * Waits for the first media of a sender, and answers whether they went through the worker. A transform that is attached too late never runs,
 * and no error says so (Chromium 156, November 2026).
 *
 * @param wentThrough whether the worker has passed a frame of this sender on.
 * @param isOver the stay has ended: nothing matters any more.
 */
export async function isEncrypted(
  sender: RTCRtpSender,
  wentThrough: () => Promise<boolean>,
  isOver: () => boolean,
): Promise<boolean> {
  while (!isOver() && sender.transport?.state !== "closed") {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    // In this order: what left by now went through the worker before.
    const hasSent = await sendsMedia(sender);
    if (await wentThrough()) return true;
    // Nothing is counted any more once the stay has ended, which may be just now.
    if (hasSent && !isOver()) return false;
  }
  return true;
}

/** Whether media left; browsers count no padding and no headers. */
async function sendsMedia(sender: RTCRtpSender): Promise<boolean> {
  const reports = [...(await sender.getStats()).values()] as RTCOutboundRtpStreamStats[];
  return reports.some(({ type, bytesSent = 0 }) => type === "outbound-rtp" && bytesSent > 0);
}
