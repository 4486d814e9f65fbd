/** Every length and count that a client can run into, with the reason beside the number. */
export const LIMITS = {
  /**
   * A socket frame, in bytes: the longest ciphertext for each other device of two people (11 × 21,848 characters of base64, and
   * what is around them), and nothing that stalls a parser. Above 64 KiB it counts against the flood limit as often as it is larger.
   */
  frameBytes: 262_144,
  /** A REST body, in bytes. */
  bodyBytes: 65_536,
  /** The body that brings 100 one-time keys of each kind: 100 × 2,320 characters of Kyber key, and 100 × 85 of the other. */
  preKeysBodyBytes: 262_144,
  /** Plain message text, in UTF-16 units: Discord's own limit for its paying users; longer texts are files. */
  contentLength: 4_000,
  /** Encrypted message body (base64 text) in a channel of a server: 36 KB, nine times the longest plain text. */
  encryptedContentLength: 49_152,
  /** `metadata` of a message once serialised, in UTF-16 units: mentions and attachment descriptions. */
  metadataLength: 8_192,
  /** A reaction, in UTF-16 units: the longest emoji there is has 15. */
  emojiLength: 32,
  /** Different emoji on a message, as in Discord. */
  reactionKinds: 20,
  /** Reactions on a message in all: they come with it, each with its person, 40 bytes apiece. */
  reactions: 250,
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
  /** Devices of an account, as many as Signal's: with more, a message to all of two people's devices would not fit a frame. */
  devicesPerUser: 6,
  /**
   * By how many versions a device list may be ahead of the server's: a device knows what the server forgot with a restore. Few enough that no
   * mistake of a client uses up the numbers.
   */
  listVersionLead: 1_000,
  deviceNameMax: 64,
  /** One ciphertext for one device, in bytes: 4,000 UTF-16 units are 12,000 bytes at most, padding and key exchange come on top. */
  ciphertextBytes: 16_384,
  /** Other devices in a direct message: 25 people with 6 devices each, less the one that sends. */
  ciphertexts: 149,
  /** One-time keys of a kind in one upload, as Signal's clients send them. */
  preKeysUpload: 100,
  /** One-time keys of a kind that wait to be handed out: two uploads. */
  preKeysKept: 200,
  /** Below this many the device is told `keys:low`. */
  preKeysLow: 10,
  /** Envelopes in one `keys:send`; the frame's size bounds them too. */
  envelopesSend: 100,
  /** Envelopes in one `keys:received`; the next page follows the acknowledgement of this one. */
  envelopesPage: 100,
  /** Envelopes that wait for one device: 16 MB at most. */
  envelopesKept: 1_000,
  /** Those of them that one person sent: nobody alone can keep others from reaching a device that is away. */
  envelopesFromOne: 250,
  /** People in a group conversation: each of its messages is a row for each of their devices. */
  dmPeople: 25,
  /** Direct conversations of a person: they all come with `ready`. */
  dmsPerUser: 500,
  /** Friends of a person and people whom they have asked: the list comes whole. */
  friendsPerUser: 1_000,
  /** People whom a person has blocked: they all come with `ready`. */
  blocksPerUser: 1_000,
  /** Bounds of a passphrase's Argon2id: RFC 9106's choice for small machines (64 MiB, 3 passes), and what a phone's browser still does. */
  kdfMemoryKibMin: 65_536,
  kdfMemoryKibMax: 524_288,
  kdfPassesMin: 3,
  kdfPassesMax: 16,
  kdfLanesMax: 16,
  /** A vault's root key, sealed for a recovery key and a passphrase. */
  vaultRootBytes: 4_096,
  /** A sealed record: some hundreds of messages, rewritten as a whole when one is added. */
  vaultRecordBytes: 131_072,
  /** The body that brings such a record: 174,764 characters of base64. */
  vaultRecordBodyBytes: 196_608,
  vaultNameLength: 128,
  /** What a vault holds: half a million messages of some hundred words, and a place that small groups' disks bear. */
  vaultBytes: 268_435_456,
  /** Records in a vault, so that tiny ones cannot cost more in rows than in bytes. */
  vaultRecords: 16_384,
  /** Records in one page; its bytes bound it too, one record excepted. */
  vaultPage: 100,
  vaultPageBytes: 1_048_576,
  /** An identity, a recovery key and what is around them. */
  handoffBytes: 8_192,
  /** Handoffs of an account that are open at once: a person sets up one browser at a time, and starts again when it fails. */
  handoffsOpen: 5,
  /** People in a voice channel or a call, as in Discord's: everyone's media is everyone's to receive. */
  voiceMembers: 99,
  /** Invites to the instance that work at a time: they all come in one list. */
  instanceInvites: 200,
  /** Accounts, or lines of the log, in one page for operators. */
  operatorPage: 50,
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
  /** A ciphertext that its device did not fetch for this long is deleted. */
  ciphertextMs: 30 * 24 * 60 * 60_000,
  /** A link for a new password reaches its person within a day, or another is made. */
  passwordLinkMs: 24 * 60 * 60_000,
  /** Long enough to find the other device and unlock it. */
  handoffMs: 10 * 60_000,
  /** A call rings for this long. */
  ringMs: 45_000,
  /** Who was in voice channels, and when, is known for this long: to explain a disturbance. */
  voiceSessionMs: 7 * 24 * 60 * 60_000,
  /** Who has a place in a voice channel brings media to a node within this time, as long as a room token is good. */
  voiceConnectMs: 60_000,
  inviteDefaultMs: 7 * 24 * 60 * 60_000,
  inviteMaxMs: 365 * 24 * 60 * 60_000,
} as const;
