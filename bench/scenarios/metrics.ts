/** Names of the measurements that targets are set on, so that table and targets cannot drift apart. */
export const ackP50 = (receivers: number): string => `send → ack p50, ${receivers} receivers, 10/s`;
export const cpuPerDelivery = (receivers: number): string => `CPU per delivery, ${receivers} receivers, 10/s`;
export const memoryPerSocket = "memory per idle connection";
export const steadyCpu = "CPU, 1000 users, 20 channels, 10/s";
export const lost = "deliveries lost";
export const doubled = "deliveries doubled";
export const refused = "messages refused or unanswered";

/** Of the encryption engine; `part` is a quantile's name. */
export const sessionBegun = (part: string): string => `session from a bundle, ${part}`;
export const sessionAnswered = (part: string): string => `first message read, ${part}`;
export const encrypted = (part: string): string => `message encrypted, ${part}`;
export const decrypted = (part: string): string => `message decrypted, ${part}`;
export const waitingRead = "500 waiting messages decrypted";

export const groupEncrypted = (part: string): string => `group message encrypted, ${part}`;
export const groupDecrypted = (part: string): string => `group message decrypted, ${part}`;
export const safetyNumber = "safety number, p50";
export const fileSealed = "file of 32 MB encrypted";
export const fileOpened = "file of 32 MB decrypted";

/** Of the encryption of calls: what a worker is busy for audio and video, as a share of the time that they last. */
export const mediaShare = (direction: string): string => `audio and 720p30, ${direction}, share of a core`;
export const frameTime = (direction: string, part: string): string => `frame of 1200 bytes ${direction}, ${part}`;

/** Of the workers' threads at both ends of a connection, from `/proc`: as much as one person's who sends and receives. */
export const liveShare = "audio and 720p30, each way: CPU of the frames' workers";
export const liveAdded = "audio and 720p30, each way: CPU that encryption adds";
export const livePictures = "pictures decoded";

/** Where somebody who comes back looks first. */
export type Place = "conversation" | "channel";
/** 500 new messages there: the last is shown, and the device has all of them where it is the one to have them. */
export const returned = (place: Place): string => `${place}: connected → 500 taken in and shown`;
export const longestTask = (place: Place): string => `${place}: longest task of the main thread (0: none over 50)`;
export const longestTaskCpu = (place: Place): string => `${place}: CPU of the longest task`;

export const voiceCpu = "voice, 10 rooms of 20: CPU of two cores";
export const voiceCpuPerPacket = "voice: CPU per forwarded packet";
export const voiceDelay = (point: "p50" | "p99"): string => `voice: forwarding ${point}`;
export const voiceLost = "voice: packets not forwarded";

/** Of the same rooms over WebRTC, beside another SFU. */
export const webrtcCpu = "voice, over WebRTC: CPU per forwarded packet";
export const webrtcWholeCpu = "voice, over WebRTC: the same, signalling's process included";
export const webrtcDelay = (point: "p50" | "p99"): string => `voice, over WebRTC: forwarding ${point}`;
export const webrtcWrong = "voice, over WebRTC: packets lost, doubled or damaged";

/** Of 1,000 sockets, with Caddy before the edge and without. */
export const proxyAck = (point: "p50" | "p99"): string => `send → ack ${point}, 1000 sockets, 10/s`;
export const proxyDelivery = "send → delivery p50, 1000 sockets, 10/s";
export const proxyConnected = "time until 1000 are connected";
export const proxyAdded = "send → ack p50, added by Caddy, of a pair";

/** Of two people in a call. */
export const firstSound = "call: join → first sound, p50";
export const firstPicture = "call: join → first encrypted picture, p50";
export const rejoin = "call: node killed → first sound again";
export const callRtt = "call: round trip to the node, p50";
export const bufferAndPath = "call: jitter buffer and path";
/** Of the worker that encrypts and decrypts frames, in a live call. */
export const frameWorkerCpu = (direction: "sending" | "receiving"): string =>
  `call: CPU of the frames' worker, ${direction}`;
export const mouthToEar = "call: microphone → ear, p50";
export const glassToGlass = "call: 720p camera → screen, p50";
export const picturesShown = "call: pictures of 720 lines shown";
