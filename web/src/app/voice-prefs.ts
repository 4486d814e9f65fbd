import { createPrefs } from "../voice/prefs.ts";
import { keep, kept } from "./kept.ts";

/** How this browser hears and speaks. */
export const voicePrefs = createPrefs({ get: kept, set: keep });
