/** The server of keys and direct messages, as far as a device can see it: for tests of whole devices without a network. */
import type { Ciphertext } from "@lescopains/protocol/ciphertext";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { DirectChannel, Message } from "@lescopains/protocol/entities";
import type { ErrorCode } from "@lescopains/protocol/errors";
import type { ChannelId, Generation, MessageId, Seq, SessionId, UserId } from "@lescopains/protocol/ids";
import type {
  DeviceBody,
  Envelope,
  KyberPreKey,
  OwnDevices,
  PreKey,
  PublishedDevices,
} from "@lescopains/protocol/keys";
import type { Vault, VaultRecord } from "@lescopains/protocol/vault";
import { LIMITS } from "@lescopains/protocol/limits";
import { ApiError } from "../net/api-error.ts";
import type { Feed } from "./keys.ts";
import type { Kit } from "./kit.ts";

interface Device {
  readonly deviceId: DeviceId;
  body: DeviceBody;
  session: string;
  readonly createdAt: string;
  preKeys: PreKey[];
  kyberPreKeys: KyberPreKey[];
  readonly envelopes: Envelope[];
}

interface Account {
  published: PublishedDevices | null;
  readonly devices: Map<DeviceId, Device>;
  vault: {
    readonly token: string;
    root: Pick<Vault, "kdf" | "sealedRoot">;
    readonly records: Map<string, VaultRecord>;
  } | null;
}

interface Row {
  message: Message;
  /** `user/device` → what waits for it. */
  readonly ciphertexts: Map<string, Ciphertext>;
}

interface Channel {
  readonly id: ChannelId;
  readonly type: "dm" | "group_dm";
  participants: UserId[];
  lastSeq: Seq;
  readonly rows: Row[];
  readonly reads: Map<UserId, Seq>;
}

/** A connection of one browser. `push` is what the network does with an event. */
export interface Connection {
  readonly userId: UserId;
  readonly session: string;
  deviceId: DeviceId | null;
  readonly push: <N extends keyof Feed>(name: N, body: Feed[N]) => void;
}

function refuse(code: ErrorCode, details?: Record<string, unknown>): ApiError {
  return new ApiError({ code, message: code, ...(details === undefined ? {} : { details }) });
}

export class FakeKeysServer {
  readonly accounts = new Map<UserId, Account>();
  readonly channels = new Map<ChannelId, Channel>();
  readonly connections = new Set<Connection>();
  readonly handoffs = new Map<string, { userId: UserId; session: string; publicKey: string; sealed: string | null }>();
  /** Every ciphertext that ever arrived, for whoever looks for a key used twice. */
  readonly traffic: { readonly from: string; readonly to: string; readonly type: number; readonly body: string }[] = [];
  readonly claimed: string[] = [];
  readonly failures: string[] = [];
  generation = "018f0000-0000-4000-8000-00000000000a" as Generation;
  syncPage = 100;
  /** `user/device` of those for whom no more envelopes are taken. */
  readonly full = new Set<string>();
  /** People of whom nobody is told anything: gone, or blocked. */
  readonly unreachable = new Set<UserId>();
  private ids = 0;
  private nowMs = Date.UTC(2026, 10, 25);

  /** What `restore` makes it again, as tools/backup does. */
  backup(): { readonly accounts: Map<UserId, Account>; readonly channels: Map<ChannelId, Channel> } {
    return structuredClone({ accounts: this.accounts, channels: this.channels });
  }

  /** Every connection is lost. */
  restore(backup: ReturnType<FakeKeysServer["backup"]>): void {
    const { accounts, channels } = structuredClone(backup);
    this.connections.clear();
    this.accounts.clear();
    this.channels.clear();
    for (const [id, account] of accounts) this.accounts.set(id, account);
    for (const [id, channel] of channels) this.channels.set(id, { ...channel, lastSeq: channel.lastSeq + 1_000_000 });
    for (const { devices } of this.accounts.values()) {
      for (const device of devices.values()) Object.assign(device, { preKeys: [], kyberPreKeys: [] });
    }
    this.generation = crypto.randomUUID() as Generation;
  }

  account(userId: UserId): Account {
    const known = this.accounts.get(userId);
    if (known !== undefined) return known;
    const made: Account = { published: null, devices: new Map(), vault: null };
    this.accounts.set(userId, made);
    return made;
  }

  private now(): string {
    this.nowMs += 10;
    return new Date(this.nowMs).toISOString();
  }

  private nextId(): string {
    this.ids += 1;
    return `018f0000-0000-7000-8000-${String(this.ids).padStart(12, "0")}`;
  }

  openChannel(type: "dm" | "group_dm", participants: UserId[]): ChannelId {
    const id = this.nextId() as ChannelId;
    this.channels.set(id, { id, type, participants, lastSeq: 0, rows: [], reads: new Map() });
    for (const connection of this.connections) {
      if (participants.includes(connection.userId)) {
        connection.push("dm:created", { channel: this.channelFor(id, connection.userId) });
      }
    }
    return id;
  }

  setParticipants(channelId: ChannelId, participants: UserId[]): void {
    const channel = this.channel(channelId);
    channel.participants = participants;
    for (const connection of this.connections) {
      if (!participants.includes(connection.userId)) continue;
      const people = participants.map((id) => ({ id, username: "x", displayName: "x" }));
      connection.push("dm:updated", { channelId, ownerId: null, participants: people });
    }
  }

  private channel(id: ChannelId): Channel {
    const channel = this.channels.get(id);
    if (channel === undefined) throw refuse("not_found");
    return channel;
  }

  channelFor(id: ChannelId, userId: UserId): DirectChannel {
    const { type, participants, lastSeq, reads } = this.channel(id);
    return {
      id,
      serverId: null,
      name: "",
      type,
      topic: null,
      position: 0,
      parentId: null,
      encrypted: true,
      createdAt: "2026-11-25T00:00:00.000Z",
      overwrites: [],
      permissions: "0",
      lastSeq,
      messageSeq: lastSeq,
      readSeq: reads.get(userId) ?? 0,
      ownerId: null,
      participants: participants.map((one) => ({ id: one, username: "x", displayName: "x" })),
    };
  }

  dmsOf(userId: UserId): DirectChannel[] {
    return [...this.channels.values()]
      .filter(({ participants }) => participants.includes(userId))
      .map(({ id }) => this.channelFor(id, userId));
  }

  /** A socket: its `ready`, then what waits for its device. */
  connect(connection: Connection, wanted: DeviceId | null): void {
    const device = wanted === null ? undefined : this.account(connection.userId).devices.get(wanted);
    connection.deviceId = device?.session === connection.session ? device.deviceId : null;
    this.connections.add(connection);
    const { deviceId } = connection;
    connection.push("ready", { dms: this.dmsOf(connection.userId), deviceId, generation: this.generation });
    if (device !== undefined && connection.deviceId !== null && device.envelopes.length > 0) {
      connection.push("keys:received", { messages: device.envelopes.slice(0, 100) });
    }
  }

  private ownDevices(userId: UserId, session: string): OwnDevices {
    const { published, devices } = this.account(userId);
    return {
      sessionId: session as SessionId,
      generation: this.generation,
      published,
      devices: [...devices.values()].map(({ deviceId, body, createdAt, session: of }) => ({
        deviceId,
        registrationId: body.registrationId,
        name: body.name,
        createdAt,
        lastSeenAt: createdAt,
        current: of === session,
      })),
    };
  }

  private tellChanged(userId: UserId): void {
    const { published } = this.account(userId);
    if (published === null) return;
    for (const connection of this.connections) {
      const shares = [...this.channels.values()].some(
        ({ participants }) => participants.includes(userId) && participants.includes(connection.userId),
      );
      if (connection.userId !== userId && !shares) continue;
      const { identityKey, deviceList } = published;
      connection.push("keys:changed", { userId, identityKey, version: deviceList.version });
    }
  }

  /** REST. */
  call(userId: UserId, session: string, name: string, args: never): unknown {
    const { body, params, query, headers } = args as {
      body: never;
      params: { id: never; name: never; deviceId: DeviceId };
      query: never;
      headers: Record<string, string>;
    };
    switch (name) {
      case "listDevices":
        return this.ownDevices(userId, session);
      case "putDevice":
        return this.putDevice(userId, session, body);
      case "renameDevice": {
        const device = this.account(userId).devices.get(params.deviceId);
        if (device === undefined) throw refuse("not_found");
        device.body = { ...device.body, name: (body as { name: string }).name };
        return this.ownDevices(userId, session);
      }
      case "putDevices":
        return this.putDevices(userId, session, body);
      case "addPreKeys":
        return this.addPreKeys(userId, body);
      case "countPreKeys":
        return this.counts(userId, (query as { deviceId: DeviceId }).deviceId);
      case "userDevices":
        if (this.unreachable.has(params.id)) throw refuse("not_found");
        return { userId: params.id, published: this.account(params.id).published };
      case "claimKeys":
        return this.claim(params.id, query);
      case "listDms":
        return { channels: this.dmsOf(userId) };
      case "getVault": {
        const { vault } = this.account(userId);
        const bytes = 0;
        if (vault === null) return { exists: false, kdf: null, sealedRoot: null, records: 0, bytes };
        return { exists: true, ...vault.root, records: vault.records.size, bytes };
      }
      case "putVault":
        return this.putVault(userId, body);
      case "putVaultRecord":
        return this.putRecord(userId, headers, params.name, body);
      case "listVaultRecords":
        return this.listRecords(userId, headers, query);
      case "openHandoff": {
        const id = this.nextId();
        this.handoffs.set(id, { userId, session, publicKey: (body as { publicKey: string }).publicKey, sealed: null });
        return { id, expiresAt: "2026-11-25T01:00:00.000Z" };
      }
      case "fillHandoff": {
        const handoff = this.handoffs.get(params.id);
        if (handoff?.userId !== userId || handoff.sealed !== null) throw refuse("not_found");
        handoff.sealed = (body as { sealed: string }).sealed;
        for (const one of this.connections) if (one.userId === userId) one.push("keys:handoff", { id: params.id });
        return undefined;
      }
      case "takeHandoff": {
        const handoff = this.handoffs.get(params.id);
        if (handoff?.userId !== userId) throw refuse("not_found");
        const sealed = handoff.session === session ? handoff.sealed : null;
        if (sealed !== null) this.handoffs.delete(params.id);
        return { publicKey: handoff.publicKey, expiresAt: "2026-11-25T01:00:00.000Z", sealed };
      }
      default:
        throw new Error(`the fake server has no ${name}`);
    }
  }

  private putDevice(userId: UserId, session: string, body: DeviceBody): OwnDevices {
    const account = this.account(userId);
    const { published } = account;
    const resets = published !== null && published.identityKey !== body.identityKey;
    if (resets && body.reset === undefined) throw refuse("conflict");
    if (resets && body.reset?.password !== "password") throw refuse("invalid_credentials");
    const version = published?.deviceList.version ?? 0;
    const same = body.deviceList.version === version;
    const ahead = body.deviceList.version - version;
    if (!same && (ahead < 1 || ahead > LIMITS.listVersionLead)) throw refuse("conflict", { ...published });
    if (resets) for (const deviceId of account.devices.keys()) this.dropDevice(userId, deviceId);
    const known = account.devices.get(body.deviceId);
    const fresh = known?.body.registrationId !== body.registrationId;
    if (fresh) {
      account.devices.set(body.deviceId, {
        deviceId: body.deviceId,
        body,
        session,
        createdAt: this.now(),
        preKeys: [],
        kyberPreKeys: [],
        envelopes: [],
      });
    } else {
      known.body = body;
      known.session = session;
    }
    const { identityKey, deviceList, deviceListSignature } = body;
    account.published = { identityKey, deviceList, deviceListSignature };
    const kept = new Set(deviceList.devices.map(({ deviceId }) => deviceId));
    for (const deviceId of account.devices.keys()) if (!kept.has(deviceId)) this.dropDevice(userId, deviceId);
    if (!same) this.tellChanged(userId);
    return this.ownDevices(userId, session);
  }

  /** A device goes with all that waited for it. */
  private dropDevice(userId: UserId, deviceId: DeviceId): void {
    this.account(userId).devices.delete(deviceId);
    for (const { rows } of this.channels.values()) {
      for (const { ciphertexts } of rows) ciphertexts.delete(`${userId}/${deviceId}`);
    }
  }

  private putDevices(userId: UserId, session: string, body: Omit<PublishedDevices, "identityKey">): OwnDevices {
    const account = this.account(userId);
    if (account.published === null) throw refuse("not_found");
    if (body.deviceList.version !== account.published.deviceList.version + 1) throw refuse("conflict");
    account.published = { ...account.published, ...body };
    const kept = new Set(body.deviceList.devices.map(({ deviceId }) => deviceId));
    for (const deviceId of account.devices.keys()) {
      if (kept.has(deviceId)) continue;
      this.dropDevice(userId, deviceId);
      for (const connection of this.connections) {
        if (connection.userId === userId && connection.deviceId === deviceId) connection.deviceId = null;
      }
    }
    this.tellChanged(userId);
    return this.ownDevices(userId, session);
  }

  private addPreKeys(userId: UserId, body: never): { preKeys: number; kyberPreKeys: number } {
    const { deviceId, preKeys, kyberPreKeys, signedPreKey, kyberPreKey } = body as {
      deviceId: DeviceId;
      preKeys?: PreKey[];
      kyberPreKeys?: KyberPreKey[];
      signedPreKey?: DeviceBody["signedPreKey"];
      kyberPreKey?: DeviceBody["kyberPreKey"];
    };
    const device = this.account(userId).devices.get(deviceId);
    if (device === undefined) throw refuse("device_required");
    device.preKeys.push(...(preKeys ?? []));
    device.kyberPreKeys.push(...(kyberPreKeys ?? []));
    if (signedPreKey !== undefined) device.body = { ...device.body, signedPreKey };
    if (kyberPreKey !== undefined) device.body = { ...device.body, kyberPreKey };
    return this.counts(userId, deviceId);
  }

  private counts(userId: UserId, deviceId: DeviceId): { preKeys: number; kyberPreKeys: number } {
    const device = this.account(userId).devices.get(deviceId);
    if (device === undefined) throw refuse("not_found");
    return { preKeys: device.preKeys.length, kyberPreKeys: device.kyberPreKeys.length };
  }

  private claim(userId: UserId, query: { devices?: string }): unknown {
    const { published, devices } = this.account(userId);
    const wanted = query.devices?.split(",").map(Number);
    const bundles = [...devices.values()]
      .filter(({ deviceId }) => wanted === undefined || wanted.includes(deviceId))
      .map(({ deviceId, body, preKeys, kyberPreKeys }) => {
        const preKey = preKeys.shift() ?? null;
        if (preKey !== null) this.claimed.push(`${userId}/${deviceId}/${body.registrationId}/${preKey.keyId}`);
        const kyberPreKey = kyberPreKeys.shift() ?? body.kyberPreKey;
        return { deviceId, registrationId: body.registrationId, signedPreKey: body.signedPreKey, kyberPreKey, preKey };
      });
    return { userId, published, bundles };
  }

  private putVault(userId: UserId, body: never): undefined {
    const account = this.account(userId);
    const { authToken, kdf, sealedRoot, replace } = body as {
      authToken: string;
      kdf: Vault["kdf"];
      sealedRoot: string;
      replace?: { password: string };
    };
    const root = { kdf, sealedRoot };
    if (replace !== undefined && replace.password !== "password") throw refuse("invalid_credentials");
    if (account.vault === null || replace !== undefined) {
      account.vault = { token: authToken, root, records: new Map() };
    } else if (account.vault.token === authToken) {
      account.vault.root = root;
    } else {
      throw refuse("conflict");
    }
    return undefined;
  }

  private records(userId: UserId, headers: Record<string, string>): Map<string, VaultRecord> {
    const { vault } = this.account(userId);
    if (vault === null) throw refuse("not_found");
    if (vault.token !== headers["x-vault-token"]) throw refuse("vault_locked");
    return vault.records;
  }

  private putRecord(
    userId: UserId,
    headers: Record<string, string>,
    name: string,
    { version, sealed }: { version: number; sealed: string },
  ): undefined {
    const records = this.records(userId, headers);
    const present = records.get(name)?.version ?? 0;
    if (version !== present + 1) throw refuse("conflict", { version: present });
    if (sealed.length > 174_764) throw refuse("too_large");
    records.set(name, { name, version, sealed });
    return undefined;
  }

  private listRecords(userId: UserId, headers: Record<string, string>, query: { after?: string }): unknown {
    const all = [...this.records(userId, headers).values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const rest = all.filter(({ name }) => query.after === undefined || name > query.after);
    const records = rest.slice(0, 3);
    return { records, next: rest.length > records.length ? records.at(-1)?.name : null };
  }

  /** The socket. */
  emit(connection: Connection, event: string, body: never): unknown {
    switch (event) {
      case "message:send":
        return this.send(connection, body);
      case "message:delete":
        return this.deleteMessage(connection, body);
      case "message:received": {
        const { channelId, seq } = body as { channelId: ChannelId; seq: Seq };
        const address = `${connection.userId}/${connection.deviceId}`;
        for (const row of this.channel(channelId).rows) if (row.message.seq <= seq) row.ciphertexts.delete(address);
        return { ok: true };
      }
      case "sync":
        return this.sync(connection, body);
      case "keys:send":
        return this.sendEnvelopes(connection, body);
      case "keys:ack":
        return this.acknowledge(connection, body);
      case "keys:failed":
        this.failures.push((body as { reason: string }).reason);
        return { ok: true };
      case "read:mark": {
        const { channelId, seq } = body as { channelId: ChannelId; seq: Seq };
        this.channel(channelId).reads.set(connection.userId, seq);
        for (const one of this.connections) {
          if (one !== connection && one.userId === connection.userId) one.push("read:updated", { channelId, seq });
        }
        return { ok: true, seq };
      }
      default:
        throw new Error(`the fake server has no ${event}`);
    }
  }

  private audience(channel: Channel, connection: Connection): Device[] {
    return channel.participants.flatMap((userId) =>
      [...this.account(userId).devices.values()].filter(
        ({ deviceId }) => userId !== connection.userId || deviceId !== connection.deviceId,
      ),
    );
  }

  private ownerOf(device: Device): UserId {
    for (const [userId, { devices }] of this.accounts) if (devices.get(device.deviceId) === device) return userId;
    throw new Error("a device without an account");
  }

  private send(connection: Connection, body: never): unknown {
    const { channelId, nonce, content, ciphertexts, listVersions, ephemeral } = body as {
      channelId: ChannelId;
      nonce: string;
      content?: string;
      ciphertexts?: ({ userId: UserId; deviceId: DeviceId } & Ciphertext)[];
      listVersions?: Record<UserId, number>;
      ephemeral?: boolean;
    };
    const channel = this.channel(channelId);
    const { userId, deviceId } = connection;
    if (deviceId === null) throw refuse("device_required");
    const from = `${userId}/${deviceId}/${this.account(userId).devices.get(deviceId)?.body.registrationId}`;
    for (const one of ciphertexts ?? []) this.traffic.push({ from, to: `${one.userId}/${one.deviceId}`, ...one });
    if (listVersions !== undefined) this.traffic.push({ from, to: channelId, type: 7, body: content ?? "" });
    const stored = channel.rows.find(({ message }) => message.authorId === userId && message.nonce === nonce);
    if (stored !== undefined) return { ok: true, ...answerOf(stored.message) };
    const audience = this.audience(channel, connection);
    const versions = Object.fromEntries(
      channel.participants.flatMap((one) => {
        const list = this.account(one).published?.deviceList;
        return list === undefined ? [] : [[one, list.version]];
      }),
    );
    const wanted = new Set(audience.map((device) => `${this.ownerOf(device)}/${device.deviceId}`));
    const given = new Set((ciphertexts ?? []).map((one) => `${one.userId}/${one.deviceId}`));
    const fits =
      listVersions === undefined
        ? wanted.size === given.size && [...wanted].every((one) => given.has(one))
        : sameVersions(listVersions, versions);
    if (!fits) throw refuse("devices_changed", { missing: [], extra: [], versions });
    const ciphertextFor = (device: Device): Ciphertext => {
      if (listVersions !== undefined) return { type: 7, body: content ?? "" };
      const owner = this.ownerOf(device);
      const found = ciphertexts?.find((one) => one.userId === owner && one.deviceId === device.deviceId);
      if (found === undefined) throw new Error("a device without a ciphertext");
      return { type: found.type, body: found.body };
    };
    if (ephemeral === true) {
      for (const one of this.connections) {
        const device = audience.find((each) => this.ownerOf(each) === one.userId && each.deviceId === one.deviceId);
        if (device === undefined) continue;
        one.push("message:ephemeral", {
          channelId,
          authorId: userId,
          senderDeviceId: deviceId,
          nonce,
          ciphertext: ciphertextFor(device),
          createdAt: this.now(),
        });
      }
      return { ok: true, id: this.nextId(), seq: 0, createdAt: this.now() };
    }
    channel.lastSeq += 1;
    const message: Message = {
      id: this.nextId() as MessageId,
      channelId,
      seq: channel.lastSeq,
      changedSeq: channel.lastSeq,
      authorId: userId,
      content: "",
      contentType: "text",
      encrypted: true,
      metadata: null,
      nonce,
      replyTo: null,
      threadId: null,
      createdAt: this.now(),
      editedAt: null,
      deleted: false,
      reactions: [],
      senderDeviceId: deviceId,
    };
    const row: Row = { message, ciphertexts: new Map() };
    for (const device of audience) {
      row.ciphertexts.set(`${this.ownerOf(device)}/${device.deviceId}`, ciphertextFor(device));
    }
    channel.rows.push(row);
    for (const one of this.connections) {
      if (channel.participants.includes(one.userId)) one.push("message:new", this.seenBy(one, row));
    }
    return { ok: true, ...answerOf(message) };
  }

  private seenBy({ userId, deviceId }: Connection, { message, ciphertexts }: Row): Message {
    return { ...message, ciphertext: ciphertexts.get(`${userId}/${deviceId}`) ?? null };
  }

  private deleteMessage(connection: Connection, body: never): unknown {
    const { channelId, messageId } = body as { channelId: ChannelId; messageId: MessageId };
    const channel = this.channel(channelId);
    const row = channel.rows.find(({ message }) => message.id === messageId);
    if (row === undefined || row.message.authorId !== connection.userId) throw refuse("not_found");
    if (!row.message.deleted) {
      channel.lastSeq += 1;
      row.message = { ...row.message, changedSeq: channel.lastSeq, deleted: true };
      row.ciphertexts.clear();
      for (const one of this.connections) {
        if (!channel.participants.includes(one.userId)) continue;
        one.push("message:deleted", { id: messageId, channelId, seq: channel.lastSeq });
      }
    }
    return { ok: true, id: messageId, seq: row.message.changedSeq };
  }

  private sync(connection: Connection, body: never): unknown {
    const { channels } = body as { channels: Record<ChannelId, Seq> };
    const answer: Record<string, unknown> = {};
    for (const [id, after] of Object.entries(channels) as [ChannelId, Seq][]) {
      const channel = this.channel(id);
      const missed = channel.rows
        .filter(({ message }) => message.changedSeq > after)
        .toSorted((a, b) => a.message.changedSeq - b.message.changedSeq);
      const messages = missed.slice(0, this.syncPage).map((row) => this.seenBy(connection, row));
      answer[id] = { messages, lastSeq: channel.lastSeq, more: missed.length > this.syncPage };
    }
    return { ok: true, channels: answer, more: false };
  }

  private sendEnvelopes(connection: Connection, body: never): unknown {
    const { messages } = body as {
      messages: { toUserId: UserId; toDeviceId: DeviceId; type: Ciphertext["type"]; body: string }[];
    };
    const { userId, deviceId } = connection;
    if (deviceId === null) throw refuse("device_required");
    const from = `${userId}/${deviceId}/${this.account(userId).devices.get(deviceId)?.body.registrationId}`;
    const devices = messages
      .map(({ toUserId, toDeviceId }) => ({ userId: toUserId, deviceId: toDeviceId }))
      .filter((one) => this.full.has(`${one.userId}/${one.deviceId}`));
    if (devices.length > 0) throw refuse("queue_full", { devices });
    for (const { toUserId, toDeviceId, type, body: ciphertext } of messages) {
      this.traffic.push({ from, to: `${toUserId}/${toDeviceId}`, type, body: ciphertext });
      const device = this.account(toUserId).devices.get(toDeviceId);
      if (device === undefined) throw refuse("not_found");
      this.ids += 1;
      const envelope = {
        id: this.ids,
        fromUserId: userId,
        fromDeviceId: deviceId,
        type,
        body: ciphertext,
        createdAt: this.now(),
      };
      device.envelopes.push(envelope);
      for (const one of this.connections) {
        if (one.userId === toUserId && one.deviceId === toDeviceId) one.push("keys:received", { messages: [envelope] });
      }
    }
    return { ok: true };
  }

  private acknowledge({ userId, deviceId }: Connection, body: never): unknown {
    const { upTo } = body as { upTo: number };
    const envelopes = this.account(userId).devices.get(deviceId ?? 0)?.envelopes ?? [];
    envelopes.splice(0, envelopes.filter(({ id }) => id <= upTo).length);
    return { ok: true };
  }
}

function answerOf({ id, seq, createdAt }: Message): { id: MessageId; seq: Seq; createdAt: string } {
  return { id, seq, createdAt };
}

/** What a device asks the server through. */
export function portOf(server: FakeKeysServer, connection: Connection): Kit["server"] {
  return {
    call: async (name: string, args?: unknown) =>
      structuredClone(server.call(connection.userId, connection.session, name, (args ?? {}) as never)),
    emit: async (event: string, body: unknown) =>
      structuredClone(server.emit(connection, event, structuredClone(body) as never)),
  } as Kit["server"];
}

function sameVersions(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const users = Object.keys(a);
  return users.length === Object.keys(b).length && users.every((user) => a[user] === b[user]);
}
