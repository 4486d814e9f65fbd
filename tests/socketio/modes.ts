/** Rules of the protocol hold for both kinds of WebSockets: `describe.each(modes)`. */
export const modes = [
  { mode: "hibernating", hibernate: true },
  { mode: "not hibernating", hibernate: false },
] as const;
