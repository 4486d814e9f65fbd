import { LIMITS } from "@lescopains/protocol/limits";

/** What is wrong with a username, before the server is asked. */
export type UsernameFault = "short" | "long" | "letters";

export function usernameFault(username: string): UsernameFault | undefined {
  if (username.length < LIMITS.usernameMin) return "short";
  if (username.length > LIMITS.usernameMax) return "long";
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(username) ? undefined : "letters";
}

export type PasswordFault = "short" | "long";

/** The longest is counted in bytes: an accent takes two, an emoji four. */
export function passwordFault(password: string): PasswordFault | undefined {
  if (password.length < LIMITS.passwordMin) return "short";
  return new TextEncoder().encode(password).length > LIMITS.passwordBytesMax ? "long" : undefined;
}

/** What a code or a link to register or to a server may hold: the code alone. */
function codeIn(text: string | null | undefined): string | undefined {
  return text !== null && text !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : undefined;
}

/** The code that a registration address brings: of an invite to the place, or to the server one goes on to. */
export function inviteIn(search: string): string | undefined {
  const params = new URLSearchParams(search);
  return codeIn(params.get("invite")) ?? codeIn(/^\/invite\/([^/?#]+)$/.exec(params.get("next") ?? "")?.[1]);
}

/** The code in what somebody typed or pasted: a link to register, a link to a server, or the code alone. */
export function inviteTyped(text: string): string | undefined {
  const trimmed = text.trim();
  return codeIn(/[?&]invite=([^&#\s]+)/.exec(trimmed)?.[1] ?? /\/invite\/([^/?#\s]+)/.exec(trimmed)?.[1] ?? trimmed);
}

/** An empty address is none; the server says the last word on the others. */
export function emailLooksRight(email: string): boolean {
  return email === "" || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email);
}
