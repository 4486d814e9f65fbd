import { type Echo, type EchoOptions, startEcho } from "./echo.ts";
import type { ProbeState } from "./probe-state.ts";

export interface Probe extends Echo {
  state(): Promise<ProbeState>;
  /** Sweeps as if `laterMs` had passed; answers how many connections remain. */
  sweep(laterMs: number, rules: { pingAfterMs: number; closeAfterMs: number }): Promise<number>;
  /** Broadcasts `news` to a room or, without one, to all; answers how many took it. */
  broadcast(news: unknown, room?: string): Promise<number>;
}

/** Runs the probe worker with the heartbeat so seldom that it disturbs no test. */
export async function startProbe(options: EchoOptions = {}): Promise<Probe> {
  const settings = { pingIntervalMs: 2_000_000_000, pingTimeoutMs: 20_000, ...options.settings };
  const echo = await startEcho({ ...options, worker: "probe-worker.ts", settings });
  const control = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(`${echo.url}/control/${path}`, init);
    return (await response.json()) as T;
  };
  return {
    ...echo,
    state: () => control("state"),
    sweep: (laterMs, { pingAfterMs, closeAfterMs }) =>
      control(`sweep?laterMs=${laterMs}&pingAfterMs=${pingAfterMs}&closeAfterMs=${closeAfterMs}`),
    broadcast: (news, room) =>
      control(room === undefined ? "broadcast" : `broadcast?room=${encodeURIComponent(room)}`, {
        method: "POST",
        body: JSON.stringify(news),
      }),
  };
}
