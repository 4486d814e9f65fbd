import type { Page } from "playwright-core";

declare global {
  /** The ends of the direct connection. */
  var direct: RTCPeerConnection | undefined;
}

/**
 * A connection from one page to the other with nothing between: no node, no encryption of frames, the same microphone and camera, the same codecs
 * and bitrate. What is left of a delay is the browser's own. The answer ends it.
 */
export async function connectDirectly(from: Page, to: Page): Promise<() => Promise<void>> {
  const offer = await from.evaluate(async () => {
    const connection = new RTCPeerConnection();
    globalThis.direct = connection;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of stream.getTracks()) {
      const sendEncodings = track.kind === "video" ? [{ maxBitrate: 1_500_000 }] : [];
      const { sender } = connection.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
      // A layer of a call has its size, whatever the machine can do.
      await sender.setParameters({ ...sender.getParameters(), degradationPreference: "maintain-resolution" });
    }
    await connection.setLocalDescription();
    await new Promise<void>((resolve) => {
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState === "complete") resolve();
      });
    });
    return connection.localDescription?.sdp ?? "";
  });
  const answer = await to.evaluate(async (sdp) => {
    const connection = new RTCPeerConnection();
    globalThis.direct = connection;
    connection.addEventListener("track", ({ track }) => {
      // Sound moves only while an element plays it.
      const element = document.createElement(track.kind as "audio" | "video");
      Object.assign(element, { className: "direct", muted: true, srcObject: new MediaStream([track]) });
      document.body.append(element);
      element.play().catch(() => undefined);
    });
    await connection.setRemoteDescription({ type: "offer", sdp });
    await connection.setLocalDescription();
    await new Promise<void>((resolve) => {
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState === "complete") resolve();
      });
    });
    return connection.localDescription?.sdp ?? "";
  }, offer);
  await from.evaluate((sdp) => globalThis.direct?.setRemoteDescription({ type: "answer", sdp }), answer);
  return async () => {
    for (const page of [from, to]) {
      await page.evaluate(() => {
        globalThis.direct?.close();
        for (const element of document.querySelectorAll(".direct")) element.remove();
      });
    }
  };
}
