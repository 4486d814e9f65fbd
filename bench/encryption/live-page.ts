/** Runs in a page: sound and a camera in 720p30 from one end of a call to the other, without a server. */
import type { FrameCodec, TrackRole } from "@lescopains/e2ee/frames/format";
import type { UserId } from "@lescopains/protocol/ids";
import { createFakeSessions } from "../../web/src/voice/fake-call-keys.ts";
import { type FrameCrypto, startFrames } from "../../web/src/voice/frames/frames.ts";

/** What the workers at both ends do with frames: what the client does, or nothing. */
export type Handling = "encrypted" | "handed back";

/** How the two ends of one connection lend their frames to workers. */
interface Ends {
  readonly lendSender: (sender: RTCRtpSender, role: TrackRole, codec: FrameCodec) => void;
  readonly lendReceiver: (receiver: RTCRtpReceiver, role: TrackRole) => void;
}

const callId = "00000000-0000-4000-8000-0000000000ca";
const maxBitrate = 2_500_000;
const receiving: RTCPeerConnection[] = [];
let media: Promise<MediaStream> | undefined;

/** The client's own encryption, keys and all. */
function encryptedEnds(): Ends {
  const sessions = createFakeSessions();
  const members = [1, 2].map((n) => ({
    accountId: String(n).repeat(8).concat("-0000-4000-8000-000000000000") as UserId,
    deviceId: 1,
    joinId: crypto.randomUUID(),
  }));
  const enter = (index: number): FrameCrypto => {
    const self = members[index]!;
    const frames = startFrames({
      callId,
      self,
      keys: sessions.device(self.accountId, self.deviceId),
      api: "script",
      onOver: () => {
        throw new Error("an end of the call is over");
      },
    });
    frames.roster({ epoch: 1, members });
    return frames;
  };
  const [from, to] = [enter(0), enter(1)];
  return {
    lendSender: (sender, role, codec) => from.attachSender(sender, role, codec),
    lendReceiver: (receiver, role) => to.attachReceiver(receiver, role, members[0]!.joinId),
  };
}

/** As many workers, which give each frame back as it is. */
function untouchedEnds(): Ends {
  const [from, to] = [0, 1].map(() => new Worker("/hand-back.js", { type: "module", name: "frames" }));
  return {
    lendSender(sender) {
      sender.transform = new RTCRtpScriptTransform(from!);
    },
    lendReceiver(receiver) {
      receiver.transform = new RTCRtpScriptTransform(to!);
    },
  };
}

function play(track: MediaStreamTrack): void {
  const element = document.createElement(track.kind as "audio" | "video");
  Object.assign(element, { muted: true, srcObject: new MediaStream([track]) });
  document.body.append(element);
  element.play().catch(() => undefined);
}

async function connect(handling: Handling): Promise<void> {
  media ??= navigator.mediaDevices.getUserMedia({
    audio: true,
    video: { width: 1_280, height: 720, frameRate: 30 },
  });
  const stream = await media;
  const { lendSender, lendReceiver } = handling === "encrypted" ? encryptedEnds() : untouchedEnds();
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  receiving.push(to);
  from.addEventListener("icecandidate", ({ candidate }) => void to.addIceCandidate(candidate ?? undefined));
  to.addEventListener("icecandidate", ({ candidate }) => void from.addIceCandidate(candidate ?? undefined));
  for (const track of stream.getTracks()) {
    const isAudio = track.kind === "audio";
    const sendEncodings = isAudio ? [] : [{ maxBitrate }];
    const { sender } = from.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
    lendSender(sender, isAudio ? "audio" : "camera", isAudio ? "opus" : "vp8");
    // Of this size, whatever the machine can do.
    await sender.setParameters({ ...sender.getParameters(), degradationPreference: "maintain-resolution" });
  }
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription!);
  for (const { receiver } of to.getTransceivers()) {
    lendReceiver(receiver, receiver.track.kind === "audio" ? "audio" : "camera");
    play(receiver.track);
  }
  await to.setLocalDescription();
  await from.setRemoteDescription(to.localDescription!);
}

/** Pictures decoded so far and their lines, of each connection in the order in which they were made. */
async function pictures(): Promise<{ decoded: number; lines: number }[]> {
  return await Promise.all(
    receiving.map(async (connection) => {
      const reports = [...(await connection.getStats()).values()] as RTCInboundRtpStreamStats[];
      const video = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
      return { decoded: video?.framesDecoded ?? 0, lines: video?.frameHeight ?? 0 };
    }),
  );
}

const livePage = { connect, pictures };
export type LivePage = typeof livePage;
Object.assign(globalThis, { livePage });
