import * as v from "valibot";

/** Who may make an account: everybody, who holds an invite, nobody. */
export const Registration = v.picklist(["open", "invite", "closed"]);
export type Registration = v.InferOutput<typeof Registration>;

/** What every visitor is told of the instance. `version` is the program's. */
export const Instance = v.object({
  name: v.string(),
  registration: Registration,
  /** With `invite`: an invite to a server lets somebody make an account, too. */
  serverInvites: v.boolean(),
  version: v.string(),
});
export type Instance = v.InferOutput<typeof Instance>;
