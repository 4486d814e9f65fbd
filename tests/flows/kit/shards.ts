import { connect, type Connection } from "./connection.ts";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";

function shardOf(connection: Connection): number {
  // Every Engine.IO id begins with the number of the gateway that made it.
  return Number((connection.socket.io.engine as { id: string }).id.split(".")[0]);
}

/** A connection of the person on a certain gateway; which one a connection comes to is chance. */
export async function connectOnShard(place: Place, person: Person, shard: number): Promise<Connection> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const connection = await connect(place, person);
    if (shardOf(connection) === shard) return connection;
    connection.close();
  }
  throw new Error(`40 connections, and none came to gateway ${shard}`);
}
