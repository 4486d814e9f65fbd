import { expect, test } from "vitest";
import { startPlace } from "./kit/place.ts";

test("[CONF3] without a secret nothing is served: whoever starts it is told which, in one line", async () => {
  const start = startPlace({ JWT_SECRET: "", TOTP_KEY: "c2hvcnQ=" });
  await expect(start).rejects.toThrow(
    /^The edge does not start: this installation is not configured: JWT_SECRET must be 32 .*; TOTP_KEY must be 32 .*base64 32$/,
  );
});
