import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import * as v from "valibot";
import { rootFolder } from "./root.ts";

const Bindings = v.array(v.object({ name: v.string(), class_name: v.string() }));
const Services = v.array(v.object({ binding: v.string(), service: v.string(), entrypoint: v.string() }));

/** What wrangler.toml must hold for others to run what it describes; the rest is wrangler's business. */
const WranglerToml = v.looseObject({
  name: v.string(),
  compatibility_date: v.string(),
  compatibility_flags: v.array(v.string()),
  assets: v.looseObject({ binding: v.string() }),
  durable_objects: v.object({ bindings: Bindings }),
  migrations: v.array(v.object({ tag: v.string(), new_sqlite_classes: v.array(v.string()) })),
  services: Services,
  env: v.record(
    v.string(),
    v.looseObject({ name: v.string(), durable_objects: v.object({ bindings: Bindings }), services: Services }),
  ),
});

export function readWranglerToml(): v.InferOutput<typeof WranglerToml> {
  return v.parse(WranglerToml, parse(readFileSync(join(rootFolder, "wrangler.toml"), "utf8")));
}

/**
 * wrangler.toml as a configuration of its own: for the bundle that is built already, so that the same bytes run everywhere, and for a client
 * that stands elsewhere. Other files may change meanwhile.
 * @param environment one of `env`; without it, what wrangler.toml says for this machine
 */
export function configOf(bundleFolder: string, webFolder: string, environment?: string): Record<string, unknown> {
  const { env, alias: _alias, ...common } = readWranglerToml();
  return {
    ...common,
    ...(environment === undefined ? {} : env[environment]),
    main: join(bundleFolder, "index.js"),
    no_bundle: true,
    find_additional_modules: false,
    assets: { ...common.assets, directory: webFolder },
  };
}
