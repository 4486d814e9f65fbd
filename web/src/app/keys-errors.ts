import { ApiError } from "../net/api-error.ts";
import { KeysError, type KeysRefusal } from "../keys/port.ts";
import { errorText } from "./errors.ts";
import { keysWords } from "./keys-words.ts";

/** A refusal of the device in plain words. Follows the language when read in a component. */
export function keysErrorText({ code, server, retryAfterMs }: KeysRefusal): string {
  if (code === "refused") return errorText({ code: server ?? "internal", retryAfterMs });
  return keysWords.value[code];
}

/** Any thrown value as a refusal of the device; what is none is the server's, or a bug of ours. */
export function asKeysRefusal(thrown: unknown): KeysRefusal {
  if (thrown instanceof KeysError) return thrown.refusal;
  if (thrown instanceof ApiError) {
    const { code: server, message, retryAfterMs } = thrown;
    return { code: "refused", message, server, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  return { code: "internal", message: String(thrown) };
}
