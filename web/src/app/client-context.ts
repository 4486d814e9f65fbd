import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Client } from "../sync/client.ts";
import type { Live } from "../sync/live-types.ts";

export const ClientContext = createContext<Client | null>(null);

/** The client that `main.tsx` made. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw new Error("no client above this component");
  return client;
}

/** What exists while someone is signed in; given to every view after sign-in. */
export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error("nobody is signed in above this component");
  return live;
}
