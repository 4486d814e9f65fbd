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

/** An empty address is none; the server says the last word on the others. */
export function emailLooksRight(email: string): boolean {
  return email === "" || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email);
}
