/** Every length and count that a client can run into, with the reason beside the number. */
export const LIMITS = {
  /** A socket frame or REST body, in bytes: holds an encrypted message for a large group, and nothing that stalls a parser. */
  frameBytes: 65_536,
  /** Plain message text, in UTF-16 units: Discord's own limit for its paying users; longer texts are files. */
  contentLength: 4_000,
  /** Encrypted message body (base64url text): what remains of a frame when its envelope is taken off. */
  encryptedContentLength: 49_152,
  /** `metadata` of a message once serialised, in UTF-16 units: mentions and attachment descriptions. */
  metadataLength: 8_192,
  /** A message nonce: a UUID fits, and so does any client's own counter. */
  nonceLength: 64,
  usernameMin: 2,
  usernameMax: 32,
  displayNameMax: 64,
  emailMax: 254,
  passwordMin: 8,
  /** bcrypt reads 72 bytes and ignores the rest: a longer password is refused, not cut. */
  passwordBytesMax: 72,
  serverNameMax: 100,
  channelNameMax: 100,
  topicMax: 1_024,
  roleNameMax: 100,
  reasonMax: 512,
  customStatusMax: 128,
  sessionNameMax: 200,
  inviteCodeLength: 10,
  /** The bounds below keep a server actor's memory and a `ready` frame small. */
  serversPerUser: 100,
  channelsPerServer: 500,
  rolesPerServer: 250,
  overwritesPerChannel: 250,
  invitesPerServer: 1_000,
  membersPerServer: 25_000,
  sessionsPerUser: 50,
  /** Members in one page of a list. */
  membersPage: 1_000,
  /** Messages in one page of history, and for one channel in one `sync`. */
  historyPage: 100,
  historyPageDefault: 50,
  /** Channels in one `sync`. */
  syncChannels: 200,
  /** Presences in `ready`; beyond that they come with the member list. */
  readyPresences: 500,
  /** With more members online than this, presence changes come with the member list, not one by one ([PR4]). */
  presencePushOnline: 250,
  /** Messages waiting in one channel before it answers `rate_limited`. */
  channelQueue: 2_000,
} as const;

/** Periods that both sides rely on, in milliseconds. */
export const PERIODS = {
  accessTokenMs: 15 * 60_000,
  refreshTokenMs: 7 * 24 * 60 * 60_000,
  presencePingMs: 30_000,
  presenceOfflineMs: 60_000,
  /** A `typing` event holds for this long; clients repeat it at most every 5 s. */
  typingMs: 8_000,
  inviteDefaultMs: 7 * 24 * 60 * 60_000,
  inviteMaxMs: 365 * 24 * 60 * 60_000,
} as const;
