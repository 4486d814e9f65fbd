import type { Settings } from "../../edge/src/socketio/server.ts";

/** Bindings of the test workers. */
export interface EchoEnv {
  SOCKET_ECHO: DurableObjectNamespace;
  ENGINE_ECHO: DurableObjectNamespace;
  /** The settings that differ from the suites'. */
  SETTINGS: Partial<Settings>;
  /** How often the alarm of a hibernating actor sweeps. */
  SWEEP_EVERY_MS: number;
}

/** What the official protocol suites ask of a server. */
const suiteSettings: Settings = {
  path: "/socket.io/",
  pingIntervalMs: 300,
  pingTimeoutMs: 200,
  connectTimeoutMs: 45_000,
  maxPayloadBytes: 1_000_000,
  hibernate: false,
  sidPrefix: "7.",
  flood: { framesPerSecond: 1_000, burst: 1_000 },
  maxConnections: 10_000,
};

export function readSettings(env: EchoEnv): Settings {
  return { ...suiteSettings, ...env.SETTINGS };
}
