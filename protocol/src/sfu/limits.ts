/** What the SFU node bounds, with the reason beside the number. */
export const SFU_LIMITS = {
  /** A request, by socket or HTTP, in bytes: the largest RTP parameters of a browser have 12 KB. */
  requestBytes: 65_536,
  /** People in a room, as in Discord's voice channels. */
  peersPerRoom: 99,
  /** One to send, one to receive, and two more while a network changes. */
  transportsPerPeer: 4,
  /** One for each source. */
  producersPerPeer: 4,
  /** Everything of everyone else in a full room. */
  consumersPerPeer: 400,
  /** Data channels that a peer sends on. */
  dataProducersPerPeer: 2,
  dataConsumersPerPeer: 200,
  /** A message on a data channel, in bytes: an event, not a file. */
  dataMessageBytes: 16_384,
  labelLength: 64,
  /** Lists inside RTP descriptions: twice what browsers send. */
  codecs: 96,
  headerExtensions: 64,
  encodings: 3,
  /** Simulcast camera, a screen at 1080p30, and sound. */
  incomingBitrate: 10_000_000,
  /** That much is asked for by congestion control, which nobody needs to obey. Who sends this much on one transport, of media and data, is thrown out. */
  floodBitrate: 20_000_000,
  /** The estimate starts here; Chromium's own first estimate is 300 kbit/s. */
  initialOutgoingBitrate: 1_000_000,
  /** Requests of a peer: points a second and in a row; what a request costs stands in its table. */
  requestsPerSecond: 50,
  requestBurst: 400,
  /** Who is refused for it faster, or more often in a row, is thrown out. */
  refusalsPerSecond: 10,
  refusalBurst: 400,
  /** Joins from one address, a second and in a row: a group behind one router comes back at once after an outage. */
  joinsPerSecond: 20,
  joinBurst: 60,
  /** Attempts with one token. */
  attemptsPerToken: 5,
} as const;

/** Periods of voice, in milliseconds. */
export const SFU_PERIODS = {
  roomTokenMs: 60_000,
  /** Clocks of edge and node may differ by this much. */
  clockToleranceMs: 5_000,
  /** A peer whose socket is lost keeps its place and its transports for this long. */
  resumeMs: 15_000,
  heartbeatMs: 1_000,
  /** A node that is silent for this long is taken for dead. */
  nodeDeadMs: 3_000,
  /** A node tries to reach the edge again at least this often: an edge that starts finds it before it takes it for dead. */
  nodeRetryMs: 2_000,
  /** mediasoup takes someone for heard from ten packets on, which are 200 ms of speech: in 250 ms hardly anyone had them. */
  speakersMs: 400,
} as const;
