import type { Message, Presence } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { batch, computed, effect, signal } from "@preact/signals";
import { createRemoteKeys, type RemoteDeps } from "../keys/remote.ts";
import { createSocket } from "../net/socket.ts";
import type { OpenWire } from "../net/wire.ts";
import type { LiveInputs } from "./client.ts";
import { createBlocks } from "./blocks.ts";
import { type ConversationShell, createConversation } from "./conversation.ts";
import { createDevice } from "./device.ts";
import { createDirectory } from "./directory.ts";
import { createDirects } from "./directs.ts";
import { createDrafts, createSealedDrafts } from "./drafts.ts";
import { createFriends } from "./friends.ts";
import { createGenerationBook } from "./generation.ts";
import type { Happening, Live } from "./live-types.ts";
import { createMemberBook } from "./members.ts";
import { createOutbox } from "./outbox.ts";
import { keepStatus, keptStatus } from "./own-status.ts";
import { createPad } from "./pad.ts";
import { createPeople } from "./people.ts";
import { perId } from "./per-id.ts";
import type { Beats } from "./ports.ts";
import { createPresenceBook } from "./presence.ts";
import { createResync } from "./resync.ts";
import { eventSeq, type TimelineEvent } from "./timeline.ts";
import { createTypingBook } from "./typing.ts";
import { createUnkept } from "./unkept.ts";
import { createUnreadBook } from "./unread.ts";
import { createVoiceLine } from "./voice-line.ts";

export interface LiveDeps extends LiveInputs {
  readonly openWire: OpenWire;
  readonly beats: Beats;
  /** Starts the worker that holds the keys. */
  readonly openKeysWorker: RemoteDeps["openWorker"];
  /** What this browser is called in the list of devices. */
  readonly deviceName: string;
}

/** Conversations that keep their messages in memory, the open ones aside. */
const CONVERSATIONS_KEPT = 20;
/** Presence changes are shown together this often, since a whole member list may hang on them. */
const PRESENCE_EVERY_MS = 50;

/** Starts what a signed-in person has: composes the parts and leads each event to those it concerns. */
export function createLive(deps: LiveDeps): Live {
  const { api, clock, storage, random, page } = deps;
  const userId = deps.self.id;

  const self = signal(deps.self);
  const ready = signal(false);
  const generation = createGenerationBook(userId, storage);
  const status = signal(keptStatus(storage, userId));
  const listeners = new Set<(happening: Happening) => void>();

  const socket = createSocket(deps);
  const device = createDevice({
    selfId: userId,
    socket,
    storage,
    clock,
    openKeys: () =>
      createRemoteKeys({ selfId: userId, deviceName: deps.deviceName, api, socket, openWorker: deps.openKeysWorker }),
  });
  const directory = createDirectory();
  const blocks = createBlocks();
  const friends = createFriends(() => api.call("listFriends"));
  const unread = createUnreadBook(userId);
  const typing = createTypingBook(clock);
  const drafts = createDrafts(userId, storage, clock);
  const presences = createPresenceBook();
  const people = createPeople((id) => api.call("getUser", { params: { id } }), clock);
  people.note(deps.self);

  const voice = createVoiceLine({ selfId: userId, socket, api });
  const members = createMemberBook({
    loadPage: (id, after) => api.call("listMembers", { params: { id }, query: { after, limit: LIMITS.membersPage } }),
    noteMembers(list) {
      for (const { user } of list) people.note(user);
      presences.note(list.map(presenceOf));
    },
    clock,
    random,
  });

  const outbox = createOutbox({
    ...deps,
    userId,
    emit: socket.emit,
    connection: socket.state,
    stored: (message) => receive({ kind: "new", message }, message.channelId),
  });

  /** In order of last use. */
  const conversations = new Map<ChannelId, ConversationShell>();
  const resync = createResync({
    socket,
    connected: () => socket.state.peek().kind === "connected",
    conversations: () => [...conversations.values()],
    noteMessages(messages) {
      for (const message of messages) noteNew(message);
    },
    clock,
    random,
  });

  const pad = createPad({ selfId: userId, keys: device.port, storage });
  const sealedDrafts = createSealedDrafts(pad, clock);
  const direct = createDirects({
    ...deps,
    selfId: userId,
    keys: device.port,
    directory,
    drafts: sealedDrafts,
    unkept: createUnkept(device.port, pad, clock),
    typing,
    unread,
    presence: presences.of,
    used: tidy,
  });

  function isDirect(channelId: ChannelId): boolean {
    return directory.dms.peek().some(({ id }) => id === channelId);
  }

  function conversation(channelId: ChannelId): ConversationShell {
    const known = conversations.get(channelId);
    if (known !== undefined) return known;
    const made = isDirect(channelId) ? direct(channelId) : serverConversation(channelId);
    conversations.set(channelId, made);
    return made;
  }

  function serverConversation(channelId: ChannelId): ConversationShell {
    return createConversation(channelId, {
      selfId: userId,
      api,
      socket,
      outbox,
      drafts,
      typing,
      unread,
      clock,
      page,
      wantSync: resync.want,
      used: tidy,
    });
  }

  /** Keeps memory bounded: messages of conversations left long ago are forgotten, of others most. */
  function tidy(used: ConversationShell): void {
    conversations.delete(used.channelId);
    conversations.set(used.channelId, used);
    used.shrink();
    const closed = [...conversations.values()].filter((one) => !one.isOpen() && one.position() !== undefined);
    for (const one of closed.slice(0, Math.max(0, closed.length - CONVERSATIONS_KEPT))) one.reset();
  }

  /** An event of a channel, or what stands for one: the answer to one's own message. */
  function receive(event: TimelineEvent, channelId: ChannelId): void {
    batch(() => {
      if (event.kind === "new") noteNew(event.message);
      else unread.noteChange(channelId, eventSeq(event));
      conversations.get(channelId)?.receive(event);
    });
  }

  function noteNew(message: Message): void {
    unread.noteNew(message);
    if (message.authorId === userId) outbox.confirmed(message.nonce);
    if (message.authorId !== null) typing.stopped(message.channelId, message.authorId);
  }

  const unshown = new Map<string, Presence>();
  let cancelPresences: (() => void) | undefined;
  function notePresence(presence: Presence): void {
    unshown.set(presence.userId, presence);
    cancelPresences ??= clock.after(PRESENCE_EVERY_MS, () => {
      cancelPresences = undefined;
      const changed = [...unshown.values()];
      unshown.clear();
      batch(() => {
        presences.note(changed);
        members.notePresences(changed);
      });
    });
  }

  function tell(happening: Happening): void {
    for (const listener of listeners) listener(happening);
  }

  function tellStatus(): void {
    // Without a connection it is told after the next `ready`.
    socket.emit("presence:set", status.peek()).catch(() => undefined);
  }

  socket.on("ready", (body) => {
    // Of the connection before.
    unshown.clear();
    batch(() => {
      // What it told before is not there any more, and never numbered again. Direct messages are the device's, which keeps them.
      if (generation.learn(body.generation)) for (const one of conversations.values()) one.reset();
      self.value = body.user;
      people.note(body.user);
      directory.replace(body.servers, body.dms);
      blocks.replace(body.blocked);
      for (const channel of body.servers.flatMap(({ channels }) => channels)) unread.learn(channel);
      for (const person of body.dms.flatMap(({ participants }) => participants)) people.note(person);
      presences.restart(body.presences, body.presences.length < LIMITS.readyPresences);
      ready.value = true;
    });
    if (status.peek().status !== "online" || status.peek().customStatus !== null) tellStatus();
    device.ready(body);
    members.reconnected();
    people.reconnected();
    friends.refresh();
    resync.all();
    for (const one of conversations.values()) one.reconnected();
  });
  socket.on("message:new", (message) => {
    if (isDirect(message.channelId)) device.feed("message:new", message);
    else receive({ kind: "new", message }, message.channelId);
  });
  socket.on("message:edited", (edit) => receive({ kind: "edited", edit }, edit.channelId));
  socket.on("message:deleted", (deletion) => {
    if (isDirect(deletion.channelId)) device.feed("message:deleted", deletion);
    else receive({ kind: "deleted", deletion }, deletion.channelId);
  });
  socket.on("reaction:added", (reaction) => receive({ kind: "reacted", on: true, reaction }, reaction.channelId));
  socket.on("reaction:removed", (reaction) => receive({ kind: "reacted", on: false, reaction }, reaction.channelId));
  socket.on("message:ephemeral", (body) => device.feed("message:ephemeral", body));
  socket.on("typing", (body) => {
    if (body.userId !== userId) typing.note(body.channelId, body.userId);
  });
  socket.on("read:updated", (body) => {
    if (isDirect(body.channelId)) device.feed("read:updated", body);
    else unread.markRead(body.channelId, body.seq);
  });
  socket.on("dm:created", ({ channel }) => putChannel(channel));
  socket.on("dm:updated", (body) => {
    const channel = directory.dms.peek().find(({ id }) => id === body.channelId);
    const { ownerId, participants } = body;
    if (channel !== undefined) putChannel({ ...channel, ownerId, participants });
    device.feed("dm:updated", body);
  });
  socket.on("dm:removed", (body) => {
    const channel = directory.dms.peek().find(({ id }) => id === body.channelId);
    directory.dropChannel(body.channelId);
    device.feed("dm:removed", body);
    if (channel !== undefined) tell({ kind: "dmRemoved", channel });
  });
  for (const event of ["friend:requested", "friend:accepted", "friend:removed"] as const) {
    socket.on(event, friends.refresh);
  }
  socket.on("friend:blocked", ({ userId: id }) => putBlock(id, true));
  socket.on("friend:unblocked", ({ userId: id }) => putBlock(id, false));
  socket.on("keys:received", (body) => device.feed("keys:received", body));
  socket.on("keys:low", (body) => device.feed("keys:low", body));
  socket.on("keys:changed", (body) => device.feed("keys:changed", body));
  socket.on("keys:handoff", (body) => device.feed("keys:handoff", body));
  socket.on("presence:update", notePresence);
  socket.on("server:joined", ({ server }) => putServer(server));
  socket.on("server:updated", ({ server }) => putServer(server));
  socket.on("server:left", ({ serverId, reason }) => {
    const server = directory.server(serverId).peek();
    directory.dropServer(serverId);
    if (server !== undefined) tell({ kind: "serverLeft", server, reason });
  });
  socket.on("channel:created", ({ channel }) => putChannel(channel));
  socket.on("channel:updated", ({ channel }) => putChannel(channel));
  socket.on("channel:deleted", ({ channelId }) => {
    const channel = directory.channel(channelId).peek();
    directory.dropChannel(channelId);
    if (channel !== undefined) tell({ kind: "channelDeleted", channel });
  });
  socket.on("member:joined", ({ serverId, member }) => {
    people.note(member.user);
    notePresence(presenceOf(member));
    members.put(serverId, member);
    directory.addMembers(serverId, 1);
  });
  socket.on("member:updated", ({ serverId, member }) => {
    people.note(member.user);
    members.put(serverId, member);
  });
  socket.on("member:left", ({ serverId, userId: gone }) => {
    members.drop(serverId, gone);
    directory.addMembers(serverId, -1);
  });
  socket.on("role:created", ({ role }) => directory.putRole(role));
  socket.on("role:updated", ({ role }) => directory.putRole(role));
  socket.on("role:deleted", ({ serverId, roleId }) => directory.dropRole(serverId, roleId));

  const putServer: Live["putServer"] = (server) => {
    batch(() => {
      directory.putServer(server);
      for (const channel of server.channels) unread.learn(channel);
    });
  };
  const putChannel: Live["putChannel"] = (channel) => {
    batch(() => {
      directory.putChannel(channel);
      if (!("participants" in channel)) {
        unread.learn(channel);
        return;
      }
      for (const person of channel.participants) people.note(person);
      // Who has just opened it may write before its event comes.
      device.feed("dm:created", { channel });
    });
  };

  function putBlock(id: UserId, isBlocked: boolean): void {
    blocks.put(id, isBlocked);
    friends.refresh();
  }

  function flushDrafts(): void {
    drafts.flush();
    sealedDrafts.flush();
  }

  const stopWatching = effect(() => {
    if (socket.state.value.kind !== "connected") device.lost();
  });
  const stopPage = page.onChange(() => {
    if (!page.visible()) flushDrafts();
  });
  socket.start();

  return {
    self,
    keys: device.port,
    connection: socket.state,
    notice: socket.notice,
    ready,
    servers: directory.servers,
    server: directory.server,
    channels: directory.channels,
    channel: directory.channel,
    dms: directory.dms,
    putServer,
    putChannel,
    blocked: blocks.has,
    putBlock,
    friends: friends.lists,
    refreshFriends: friends.refresh,
    members: members.of,
    openServer: members.open,
    presence: presences.of,
    ownStatus: status,
    setStatus(choice, customStatus) {
      status.value = { status: choice, customStatus };
      keepStatus(storage, userId, status.peek());
      tellStatus();
    },
    person: people.of,
    unread: unread.of,
    unreadInServer: perId((serverId) =>
      computed(() => directory.channels(serverId).value.some(({ id }) => unread.of(id).value.count > 0)),
    ),
    conversation,
    voice,
    restored: generation.restored,
    noteRestoredRead: generation.noteRead,
    onHappening(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    setSelf(user) {
      self.value = user;
      people.note(user);
    },
    close() {
      stopPage();
      stopWatching();
      device.close();
      cancelPresences?.();
      flushDrafts();
      typing.close();
      people.close();
      resync.close();
      outbox.close();
      members.close();
      socket.close();
    },
  };
}

function presenceOf({
  user,
  status,
  customStatus,
}: { user: { id: Presence["userId"] } } & Omit<Presence, "userId">): Presence {
  return { userId: user.id, status, ...(customStatus === undefined ? {} : { customStatus }) };
}
