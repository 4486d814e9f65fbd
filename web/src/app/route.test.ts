import { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { href, nextAfterSignIn, parseRoute, type Route } from "./route.ts";

const serverId = v.parse(ServerId, "01900000-0000-7000-8000-000000000001");
const channelId = v.parse(ChannelId, "01900000-0000-7000-8000-000000000002");
const userId = v.parse(UserId, "01900000-0000-7000-8000-000000000003");

const ROUTES: readonly Exclude<Route, { name: "notFound" }>[] = [
  { name: "home" },
  { name: "login" },
  { name: "register" },
  { name: "reset" },
  { name: "new" },
  { name: "invite", code: "abcDEF1234" },
  { name: "server", serverId },
  { name: "channel", serverId, channelId },
  { name: "members", serverId, channelId },
  { name: "chat", serverId, channelId },
  { name: "channelSettings", serverId, channelId },
  { name: "serverSettings", serverId, page: null },
  { name: "serverSettings", serverId, page: "roles" },
  { name: "dms" },
  { name: "newDm" },
  { name: "dm", channelId },
  { name: "dmPeople", channelId },
  { name: "safety", channelId, userId },
  { name: "approveDevice" },
  { name: "settings", page: null },
  { name: "settings", page: "appearance" },
  { name: "operator", page: null },
  { name: "operator", page: "door" },
  { name: "claim" },
];

describe("addresses", () => {
  test.each(ROUTES)("$name has an address that leads back to it", (route) => {
    expect(parseRoute(href(route))).toEqual(route);
  });

  test.each([
    "/nowhere",
    "/login/again",
    "/s/not-an-id",
    `/s/${serverId}/c/nope`,
    `/s/${serverId}/c/${channelId}/nope`,
    `/s/${serverId}/settings/nope`,
    "/dm/nope",
    `/dm/${channelId}/nope`,
    `/dm/${channelId}/safety`,
    `/dm/${channelId}/safety/nope`,
    `/dm/${channelId}/people/more`,
    "/settings/nope",
    "/operator/nope",
    "/operator/people/more",
    "/settings/devices/nope",
    "/settings/profile/more",
  ])("%s is no view", (path) => {
    expect(parseRoute(path)).toEqual({ name: "notFound" });
  });
});

describe("after sign-in", () => {
  test("one goes where one wanted to", () => {
    expect(nextAfterSignIn("?next=%2Finvite%2FabcDEF1234")).toBe("/invite/abcDEF1234");
  });

  test.each([
    "?next=https://evil.example",
    "?next=//evil.example",
    "?next=/%5Cevil.example",
    "?next=/login",
    "?next=/reset",
    "?next=/x",
    "",
  ])("%s leads home", (search) => {
    expect(nextAfterSignIn(search)).toBe("/");
  });
});
