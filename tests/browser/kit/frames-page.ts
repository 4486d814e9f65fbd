/** Runs in a page: people in an encrypted call whose media go from one RTCPeerConnection to another, without a server. */
import type { FrameCodec, TrackRole } from "@lescopains/e2ee/frames/format";
import type { Member } from "@lescopains/e2ee/frames/member";
import type { UserId } from "@lescopains/protocol/ids";
import { createFakeSessions } from "../../../web/src/voice/fake-call-keys.ts";
import { type FrameApi, frameApi, type FrameCrypto, startFrames } from "../../../web/src/voice/frames/frames.ts";
import type { TrackCounts } from "../../../web/src/voice/frames/link.ts";
import { oneSectionForEach, oneSectionForAll } from "./simulcast-sdp.ts";

type Name = "ana" | "ben" | "carl";

interface Person {
  readonly member: Member;
  readonly frames: FrameCrypto;
  readonly opens: Record<string, boolean>;
  isOver: boolean;
}

/** What a receiver has made of what came. */
export interface Heard {
  readonly packets: number;
  /** Encoded frames that the browser took for whole. */
  readonly framesReceived: number;
  readonly framesDecoded: number;
  /** Of the sound that was played. */
  readonly energy: number;
}

const callId = "00000000-0000-4000-8000-0000000000ca";
const names: readonly Name[] = ["ana", "ben", "carl"];
const sessions = createFakeSessions();
const people = new Map<Name, Person>();
const receivers = new Map<string, RTCRtpReceiver>();
let epoch = 0;
let plainSender: RTCRtpSender | undefined;

function userOf(name: Name): UserId {
  return `${String(names.indexOf(name) + 1).repeat(8)}-0000-4000-8000-000000000000` as UserId;
}

function personOf(name: Name): Person {
  const person = people.get(name);
  if (person === undefined) throw new Error(`${name} is not in the call`);
  return person;
}

/** They come in; nobody knows of it before `tellAll`. */
function enter(name: Name, api: FrameApi): void {
  const member = { accountId: userOf(name), deviceId: 1, joinId: crypto.randomUUID() };
  const keys = sessions.device(userOf(name), 1);
  const opens: Record<string, boolean> = {};
  const frames = startFrames({
    callId,
    self: member,
    keys,
    api,
    onOpens: (joinId, role, does) => {
      opens[`${nameOf(joinId)} ${role}`] = does;
    },
    onOver: () => {
      personOf(name).isOver = true;
    },
  });
  people.set(name, { member, frames, opens, isOver: false });
}

function nameOf(joinId: string): Name | undefined {
  return names.find((name) => people.get(name)?.member.joinId === joinId);
}

/** Everybody hears who is in the call; `who`: only they. */
function tellAll(who: readonly Name[] = [...people.keys()]): void {
  epoch += 1;
  const members = [...people.values()].map(({ member }) => member);
  for (const name of who) personOf(name).frames.roster({ epoch, members });
}

/** Everybody hears that the list names somebody no longer, who has not left. */
function exclude(name: Name): void {
  epoch += 1;
  const members = [...people].filter(([other]) => other !== name).map(([, { member }]) => member);
  for (const { frames } of people.values()) frames.roster({ epoch, members });
}

/** The others hear that somebody is gone. */
function leave(name: Name): void {
  personOf(name).frames.close();
  people.delete(name);
  tellAll();
}

function lose(from: Name, to: Name): void {
  sessions.loses = (sender, reader) => sender.userId === userOf(from) && reader.userId === userOf(to);
}

function loseNothing(): void {
  sessions.loses = () => false;
}

async function media(width: number, height: number): Promise<readonly MediaStreamTrack[]> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width, height } });
  return [...stream.getAudioTracks(), ...stream.getVideoTracks()];
}

function preferOnly(transceiver: RTCRtpTransceiver, mimeType: string): void {
  const codecs = RTCRtpReceiver.getCapabilities(mimeType.startsWith("audio") ? "audio" : "video")?.codecs ?? [];
  const chosen = codecs.filter((codec) => codec.mimeType.toLowerCase() === mimeType);
  transceiver.setCodecPreferences(chosen.slice(0, 1));
}

async function gathered(connection: RTCPeerConnection): Promise<RTCSessionDescription> {
  if (connection.iceGatheringState !== "complete") {
    await new Promise<void>((resolve) => {
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState === "complete") resolve();
      });
    });
  }
  if (connection.localDescription === null) throw new Error("nothing was described");
  return connection.localDescription;
}

interface CallOptions {
  readonly video: FrameCodec;
  readonly scalabilityMode?: string;
  /** What ben takes ana's camera for. */
  readonly cameraAs?: TrackRole;
}

/** Ana and ben see and hear each other. */
async function talk({ video, scalabilityMode, cameraAs = "camera" }: CallOptions): Promise<void> {
  const [ana, ben] = [personOf("ana"), personOf("ben")];
  const first = new RTCPeerConnection(ana.frames.connectionOptions);
  const second = new RTCPeerConnection(ben.frames.connectionOptions);
  const isScalable = scalabilityMode !== undefined;
  const size = isScalable ? { width: 1_280, height: 720 } : { width: 640, height: 360 };
  const encodings = isScalable ? { sendEncodings: [{ scalabilityMode } as RTCRtpEncodingParameters] } : {};
  for (const track of await media(size.width, size.height)) {
    const isAudio = track.kind === "audio";
    const encoding = isAudio ? {} : encodings;
    const transceiver = first.addTransceiver(track, { direction: "sendrecv", ...encoding });
    preferOnly(transceiver, isAudio ? "audio/opus" : `video/${video}`);
    const role = isAudio ? "audio" : "camera";
    ana.frames.attachSender(transceiver.sender, role, isAudio ? "opus" : video);
    ana.frames.attachReceiver(transceiver.receiver, role, ben.member.joinId);
    receivers.set(`ana ${role}`, transceiver.receiver);
  }
  const answering = await media(640, 360);
  await first.setLocalDescription();
  await second.setRemoteDescription(await gathered(first));
  const replaced: Promise<void>[] = [];
  for (const track of answering) {
    const transceiver = second.getTransceivers().find(({ receiver }) => receiver.track.kind === track.kind);
    if (transceiver === undefined) throw new Error(`no ${track.kind} was offered`);
    const isAudio = track.kind === "audio";
    const role = isAudio ? "audio" : "camera";
    transceiver.direction = "sendrecv";
    ben.frames.attachReceiver(transceiver.receiver, isAudio ? role : cameraAs, ana.member.joinId);
    ben.frames.attachSender(transceiver.sender, role, isAudio ? "opus" : video);
    replaced.push(transceiver.sender.replaceTrack(track));
    receivers.set(`ben ${role}`, transceiver.receiver);
  }
  await Promise.all(replaced);
  await second.setLocalDescription();
  await first.setRemoteDescription(await gathered(second));
  play();
}

/** Ana sends her camera in three layers at once, and ben receives each as if it was a camera. */
async function simulcast(): Promise<void> {
  const [ana, ben] = [personOf("ana"), personOf("ben")];
  const first = new RTCPeerConnection(ana.frames.connectionOptions);
  const second = new RTCPeerConnection(ben.frames.connectionOptions);
  const [, track] = await media(1_280, 720);
  if (track === undefined) throw new Error("there is no camera");
  const sendEncodings = [
    { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
    { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 250_000 },
    { rid: "f", maxBitrate: 600_000 },
  ];
  const transceiver = first.addTransceiver(track, { direction: "sendonly", sendEncodings });
  preferOnly(transceiver, "video/vp8");
  ana.frames.attachSender(transceiver.sender, "camera", "vp8");
  await first.setLocalDescription();
  const offer = await gathered(first);
  const rids = sendEncodings.map(({ rid }) => rid);
  await second.setRemoteDescription({ type: "offer", sdp: oneSectionForEach(offer.sdp, rids) });
  for (const { receiver, mid } of second.getTransceivers()) {
    ben.frames.attachReceiver(receiver, "camera", ana.member.joinId);
    receivers.set(`ben ${mid}`, receiver);
  }
  await second.setLocalDescription();
  const answer = await gathered(second);
  await first.setRemoteDescription({ type: "answer", sdp: oneSectionForAll(answer.sdp, offer.sdp, rids) });
  play();
}

/** Ana sends to somebody who takes what comes as it is; `late`: her sound is attached when it already flows. */
async function talkTo(late: boolean): Promise<void> {
  const ana = personOf("ana");
  const first = new RTCPeerConnection(ana.frames.connectionOptions);
  const second = new RTCPeerConnection();
  const [track] = await media(640, 360);
  if (track === undefined) throw new Error("there is no microphone");
  const { sender } = first.addTransceiver(track);
  plainSender = sender;
  if (!late) ana.frames.attachSender(sender, "audio", "opus");
  await first.setLocalDescription();
  await second.setRemoteDescription(await gathered(first));
  await second.setLocalDescription();
  await first.setRemoteDescription(await gathered(second));
  if (late) ana.frames.attachSender(sender, "audio", "opus");
  for (const { receiver } of second.getTransceivers()) receivers.set("plain audio", receiver);
}

/** What nobody plays is not decoded. */
function play(): void {
  for (const { track } of receivers.values()) {
    const element = document.createElement(track.kind === "audio" ? "audio" : "video");
    element.muted = track.kind === "video";
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    void element.play();
  }
}

/** By receiver: "ben audio", "ben camera", … */
async function heard(): Promise<Readonly<Record<string, Heard>>> {
  const all: Record<string, Heard> = {};
  for (const [name, receiver] of receivers) {
    for (const entry of (await receiver.getStats()).values()) {
      const report = entry as RTCInboundRtpStreamStats;
      if (report.type !== "inbound-rtp") continue;
      all[name] = {
        packets: report.packetsReceived ?? 0,
        framesReceived: report.framesReceived ?? 0,
        framesDecoded: report.framesDecoded ?? 0,
        energy: report.totalAudioEnergy ?? 0,
      };
    }
  }
  return all;
}

/** Frames of somebody's tracks: "receive camera". */
async function counts(name: Name): Promise<Readonly<Record<string, Pick<TrackCounts, "passed" | "dropped">>>> {
  const tracks = await personOf(name).frames.counts();
  return Object.fromEntries(tracks.map(({ use, ...rest }) => [`${use.direction} ${use.role}`, rest]));
}

const page = {
  enter,
  tellAll,
  exclude,
  leave,
  lose,
  loseNothing,
  talk,
  simulcast,
  talkTo,
  enabled: () => Object.fromEntries([...receivers].map(([name, { track }]) => [name, track.enabled])),
  isStopped: () => plainSender !== undefined && plainSender.track === null,
  heard,
  counts,
  code: (name: Name) => personOf(name).frames.safetyCode(),
  opens: (name: Name) => ({ ...personOf(name).opens }),
  isOver: (name: Name) => personOf(name).isOver,
  frameApi,
};
export type CallPage = typeof page;

Object.assign(globalThis, { call: page });
