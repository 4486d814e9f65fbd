import type { Self } from "@lescopains/protocol/entities";
import { describe, expect, test } from "vitest";
import { ApiError, unavailable } from "../../net/api-error.ts";
import { self } from "../../sync/fake-server.ts";
import { claimPlace } from "./claim.ts";

describe("[CLM1] the first operator's link", () => {
  const operator = { ...self, operator: true };
  const away = unavailable("no answer");
  const used = new ApiError({ code: "forbidden", message: "this link was used" });

  /** A server that refuses so many claims, and one that says of the account what stands in `reads`. */
  function server(refusals: ApiError[], reads: () => Promise<Self>) {
    const pauses: number[] = [];
    const claim = async () => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return operator;
    };
    const claimed = claimPlace({ claim, readSelf: reads, pause: async (ms) => void pauses.push(ms) });
    return { claimed, pauses };
  }

  test.each([away, used])("did its work while its answer was lost", async (refusal) => {
    const { claimed, pauses } = server([refusal], async () => operator);
    expect(await claimed).toBe(operator);
    expect(pauses).toEqual([]);
  });

  test("is tried again while the server is away, not for ever", async () => {
    const back = server([away, away, away], () => Promise.reject(away));
    expect(await back.claimed).toBe(operator);
    expect(back.pauses).toHaveLength(3);
    await expect(
      server(
        Array.from({ length: 4 }, () => away),
        async () => self,
      ).claimed,
    ).rejects.toBe(away);
  });

  test("is refused once and for all when it was another's", async () => {
    const { claimed, pauses } = server([used], async () => self);
    await expect(claimed).rejects.toBe(used);
    expect(pauses).toEqual([]);
  });
});
