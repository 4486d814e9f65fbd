import { expect, test } from "vitest";
import { ownScript } from "./trusted-types.ts";

const page = "https://chat.example/s/1/c/2?x#y";

test("[PX30] a script is run from the files of the build, and from nowhere else", () => {
  expect(ownScript("/assets/worker-B1x_-.js", page)).toBe("https://chat.example/assets/worker-B1x_-.js");
  expect(ownScript("https://chat.example/assets/worker-B1x.js", page)).toBe(
    "https://chat.example/assets/worker-B1x.js",
  );
  for (const address of [
    "https://evil.example/assets/worker.js",
    "//evil.example/assets/worker.js",
    "http://chat.example/assets/worker.js",
    "https://chat.example:8443/assets/worker.js",
    "https://chat.example@evil.example/assets/worker.js",
    "blob:https://chat.example/0b1e",
    "data:text/javascript,alert(1)",
    "javascript:alert(1)",
    "/api/attachments/x.js",
    "/assets/../api/x.js",
    "/assets/a/b.js",
    "/assets/x.html",
    "/assets/",
    "https://[",
    "",
  ])
    expect(ownScript(address, page), address).toBeNull();
});
