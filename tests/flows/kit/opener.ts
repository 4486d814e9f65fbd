import { afterEach } from "vitest";
import { connect, type Connection, type ConnectOptions } from "./connection.ts";
import type { Place } from "./place.ts";

interface Opener {
  /** Connects a person, as `connect` does. */
  readonly on: (person: Parameters<typeof connect>[1], options?: ConnectOptions) => Promise<Connection>;
  /** Closes a connection that was made in another way, too. */
  readonly keep: (connection: Connection) => Connection;
}

/**
 * Connections for one test each: they are closed after it, and throw then if something that arrived did not fit the contract. Called
 * at the top of a test file; `place` is asked at each connection.
 */
export function opener(place: () => Place): Opener {
  const open: Connection[] = [];
  afterEach(() => {
    for (const connection of open.splice(0)) connection.close();
  });
  function keep(connection: Connection): Connection {
    open.push(connection);
    return connection;
  }
  return { keep, on: async (person, options) => keep(await connect(place(), person, options)) };
}
