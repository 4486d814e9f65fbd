import { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import * as v from "valibot";

export const SETTINGS_PAGES = [
  "profile",
  "security",
  "sessions",
  "devices",
  "recovery",
  "appearance",
  "voice",
  "keyboard",
] as const;
export type SettingsPage = (typeof SETTINGS_PAGES)[number];

export const SERVER_PAGES = ["overview", "everyone", "roles", "bans"] as const;
export type ServerPage = (typeof SERVER_PAGES)[number];

export const OPERATOR_PAGES = ["people", "door", "nodes", "health", "log"] as const;
export type OperatorPage = (typeof OPERATOR_PAGES)[number];

/** Every view of the client; each has one address, and each address at most one view. */
export type Route =
  | { readonly name: "home" }
  | { readonly name: "login" }
  | { readonly name: "register" }
  /** Where the link for a new password leads. */
  | { readonly name: "reset" }
  /** Make a server, or join one by a code or link. */
  | { readonly name: "new" }
  | { readonly name: "invite"; readonly code: string }
  | { readonly name: "server"; readonly serverId: ServerId }
  | { readonly name: "channel"; readonly serverId: ServerId; readonly channelId: ChannelId }
  /** A conversation with its members beside it, or in front of it where there is little room. */
  | { readonly name: "members"; readonly serverId: ServerId; readonly channelId: ChannelId }
  /** What is written in a voice channel, beside its call, or instead of it where there is little room. */
  | { readonly name: "chat"; readonly serverId: ServerId; readonly channelId: ChannelId }
  | { readonly name: "channelSettings"; readonly serverId: ServerId; readonly channelId: ChannelId }
  | { readonly name: "serverSettings"; readonly serverId: ServerId; readonly page: ServerPage | null }
  /** The list of direct conversations; a wide screen shows one of them beside it. */
  | { readonly name: "dms" }
  /** Choose whom to write to. */
  | { readonly name: "newDm" }
  | { readonly name: "dm"; readonly channelId: ChannelId }
  /** A direct conversation with its people beside it, or in front of it where there is little room. */
  | { readonly name: "dmPeople"; readonly channelId: ChannelId }
  /** The safety number that one shares with a person of a direct conversation. */
  | { readonly name: "safety"; readonly channelId: ChannelId; readonly userId: UserId }
  /** `page` null: the list of pages, which small screens show first. */
  | { readonly name: "settings"; readonly page: SettingsPage | null }
  /** For who runs the place. */
  | { readonly name: "operator"; readonly page: OperatorPage | null }
  /** Where the link of the first start leads. */
  | { readonly name: "claim" }
  /** Let a new browser in by the code it shows. */
  | { readonly name: "approveDevice" }
  | { readonly name: "notFound" };

function settingsPage(text: string | undefined): Route {
  if (text === undefined) return { name: "settings", page: null };
  const page = SETTINGS_PAGES.find((known) => known === text);
  return page === undefined ? { name: "notFound" } : { name: "settings", page };
}

function operatorPage(text: string | undefined): Route {
  if (text === undefined) return { name: "operator", page: null };
  if (text === "claim") return { name: "claim" };
  const page = OPERATOR_PAGES.find((known) => known === text);
  return page === undefined ? { name: "notFound" } : { name: "operator", page };
}

function serverRoute([id, part, second, third, ...more]: readonly string[]): Route {
  const server = v.safeParse(ServerId, id);
  if (!server.success || more.length > 0) return { name: "notFound" };
  const serverId = server.output;
  if (part === undefined) return { name: "server", serverId };
  if (part === "settings" && third === undefined) {
    if (second === undefined) return { name: "serverSettings", serverId, page: null };
    const page = SERVER_PAGES.find((known) => known === second);
    return page === undefined ? { name: "notFound" } : { name: "serverSettings", serverId, page };
  }
  const channel = v.safeParse(ChannelId, second);
  if (part !== "c" || !channel.success) return { name: "notFound" };
  const place = { serverId, channelId: channel.output };
  if (third === undefined) return { name: "channel", ...place };
  if (third === "members" || third === "chat") return { name: third, ...place };
  if (third === "settings") return { name: "channelSettings", ...place };
  return { name: "notFound" };
}

function directRoute([id, part, person, ...more]: readonly string[]): Route {
  if (id === undefined) return { name: "dms" };
  if (id === "new" && part === undefined) return { name: "newDm" };
  const channel = v.safeParse(ChannelId, id);
  if (!channel.success || more.length > 0) return { name: "notFound" };
  const channelId = channel.output;
  if (part === undefined) return { name: "dm", channelId };
  if (part === "people" && person === undefined) return { name: "dmPeople", channelId };
  const user = v.safeParse(UserId, person);
  if (part === "safety" && user.success) return { name: "safety", channelId, userId: user.output };
  return { name: "notFound" };
}

/** The view at an address' path. */
export function parseRoute(pathname: string): Route {
  const [first, ...rest] = pathname.split("/").filter((part) => part !== "");
  if (first === undefined) return { name: "home" };
  if (first === "s") return serverRoute(rest);
  if (first === "dm") return directRoute(rest);
  if (first === "settings" && rest.join("/") === "devices/approve") return { name: "approveDevice" };
  if (first === "settings" && rest.length <= 1) return settingsPage(rest[0]);
  if (first === "operator" && rest.length <= 1) return operatorPage(rest[0]);
  if (first === "invite" && rest.length === 1) return { name: "invite", code: rest[0] ?? "" };
  if (rest.length > 0) return { name: "notFound" };
  if (first === "login" || first === "register" || first === "reset" || first === "new") return { name: first };
  return { name: "notFound" };
}

/** The address of a view. */
export function href(route: Exclude<Route, { name: "notFound" }>): string {
  switch (route.name) {
    case "home":
      return "/";
    case "login":
    case "register":
    case "reset":
    case "new":
      return `/${route.name}`;
    case "invite":
      return `/invite/${encodeURIComponent(route.code)}`;
    case "server":
      return `/s/${route.serverId}`;
    case "channel":
      return `/s/${route.serverId}/c/${route.channelId}`;
    case "members":
    case "chat":
      return `/s/${route.serverId}/c/${route.channelId}/${route.name}`;
    case "channelSettings":
      return `/s/${route.serverId}/c/${route.channelId}/settings`;
    case "serverSettings":
      return `/s/${route.serverId}/settings${route.page === null ? "" : `/${route.page}`}`;
    case "dms":
      return "/dm";
    case "newDm":
      return "/dm/new";
    case "dm":
      return `/dm/${route.channelId}`;
    case "dmPeople":
      return `/dm/${route.channelId}/people`;
    case "safety":
      return `/dm/${route.channelId}/safety/${route.userId}`;
    case "approveDevice":
      return "/settings/devices/approve";
    case "claim":
      return "/operator/claim";
    case "operator":
      return `/operator${route.page === null ? "" : `/${route.page}`}`;
    case "settings":
      return `/settings${route.page === null ? "" : `/${route.page}`}`;
    default:
      return route satisfies never;
  }
}

/** `next` of a sign-in address when it is a view of ours, else home: never another site, never sign-in again. */
export function nextAfterSignIn(search: string): string {
  const next = new URLSearchParams(search).get("next");
  if (next === null || !next.startsWith("/") || next.startsWith("//") || next.includes("\\")) return "/";
  const { name } = parseRoute(next.split(/[?#]/)[0] ?? "/");
  return name === "notFound" || name === "login" || name === "register" || name === "reset" ? "/" : next;
}
