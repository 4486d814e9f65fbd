import type { Command } from "@lescopains/protocol/sfu/registry";
import type { RoomTokens } from "../auth/room-token.ts";
import type { Peer } from "../rooms/peer.ts";
import type { Room } from "../rooms/room.ts";
import type { Rooms } from "../rooms/rooms.ts";

export interface Drainable {
  drain(deadlineMs: number): void;
  undrain(): void;
}

/** Carries out what the edge orders; whether there was anyone or anything that it concerned. */
export async function carryOut(
  command: Command,
  rooms: Rooms,
  tokens: Pick<RoomTokens, "voidStay" | "voidRoom">,
  node: Drainable,
): Promise<boolean> {
  switch (command.type) {
    case "kick":
      tokens.voidStay(command.joinId);
      return each(rooms, command, async (room, peer) => room.leave(peer, "kicked"));
    case "move":
      tokens.voidStay(command.joinId);
      return each(rooms, command, async (room, peer) => room.leave(peer, "moved", command.channelId));
    case "rights":
      return each(rooms, command, (room, peer) => room.setRights(peer, command.rights));
    case "close-room": {
      const room = rooms.get(command.roomId);
      if (command.voids !== undefined) tokens.voidRoom(command.roomId, command.voids);
      room?.close("room_closed");
      return room !== undefined;
    }
    case "drain":
      node.drain(command.deadlineMs);
      return true;
    case "undrain":
      node.undrain();
      return true;
    default:
      return command satisfies never;
  }
}

type Concerned = Extract<Command, { joinId: unknown }>;

async function each(
  rooms: Rooms,
  { roomId, joinId }: Concerned,
  act: (room: Room, peer: Peer) => Promise<void>,
): Promise<boolean> {
  const room = rooms.get(roomId);
  const concerned = room?.who(joinId) ?? [];
  if (room !== undefined) await Promise.all(concerned.map((peer) => act(room, peer)));
  return concerned.length > 0;
}
