import { randomBytes } from "node:crypto";
import type { VaultBody } from "@lescopains/protocol/vault";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";
import { call, granted } from "./rest.ts";

/** So many random bytes in base64: something sealed, a key, a token. */
export function sealed(bytes: number): string {
  return randomBytes(bytes).toString("base64");
}

/** What makes a vault. */
export function vaultBody(authToken: string): VaultBody {
  const kdf = { salt: sealed(16), memoryKib: 65_536, passes: 3, parallelism: 1 };
  return { authToken, kdf, sealedRoot: sealed(60) };
}

/** A person's vault, and what its owner does with it. */
export interface OwnVault {
  readonly authToken: string;
  write(name: string, version: number, record: string, token?: string): ReturnType<typeof call<"putVaultRecord">>;
  page(query?: { after?: string; limit?: string }, token?: string): ReturnType<typeof call<"listVaultRecords">>;
  /** All records, page by page: name → version and what is sealed. */
  all(): Promise<Map<string, { readonly version: number; readonly sealed: string }>>;
}

/** What someone who brings a vault token can ask, whether or not it is the right one. */
export function vaultOf(place: Pick<Place, "url">, { token }: Pick<Person, "token">, authToken: string): OwnVault {
  const headers = (vaultToken: string) => ({ "x-vault-token": vaultToken });
  return {
    authToken,
    write: (name, version, record, vaultToken = authToken) =>
      call(place.url, "putVaultRecord", {
        token,
        headers: headers(vaultToken),
        params: { name },
        body: { version, sealed: record },
      }),
    page: (query = {}, vaultToken = authToken) =>
      call(place.url, "listVaultRecords", { token, headers: headers(vaultToken), query }),
    async all() {
      const records = new Map<string, { version: number; sealed: string }>();
      let after: string | null | undefined;
      while (after !== null) {
        const page = await granted(place.url, "listVaultRecords", {
          token,
          headers: headers(authToken),
          query: after === undefined ? {} : { after },
        });
        for (const { name, version, sealed: record } of page.records) {
          if (records.has(name)) throw new Error(`${name} came twice`);
          records.set(name, { version, sealed: record });
        }
        after = page.next;
      }
      return records;
    },
  };
}

/** Makes a vault for someone who has none. */
export async function makeVault(place: Pick<Place, "url">, person: Pick<Person, "token">): Promise<OwnVault> {
  const authToken = sealed(32);
  await granted(place.url, "putVault", { token: person.token, body: vaultBody(authToken) });
  return vaultOf(place, person, authToken);
}
