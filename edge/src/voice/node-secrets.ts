import type { Env } from "../platform/env.ts";

/** `SFU_SECRET`: what voice nodes know, too. While it is changed it is two, a comma between: the new one, then that of before. */
export function nodeSecrets({ SFU_SECRET = "" }: Pick<Env, "SFU_SECRET">): readonly string[] {
  return SFU_SECRET.split(",").flatMap((entry) => entry.trim() || []);
}
