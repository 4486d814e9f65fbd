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

/** Of the encryption of calls: what a worker is busy for audio and video, as a share of the time that they last. */
export const mediaShare = (direction: string): string => `audio and 720p30, ${direction}, share of a core`;
export const frameTime = (direction: string, part: string): string => `frame of 1200 bytes ${direction}, ${part}`;
