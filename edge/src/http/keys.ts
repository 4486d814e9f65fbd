import type { DeviceId } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { Bundle, DeviceBody, OwnDevices, PreKeysBody } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import type { AccessClaims } from "@lescopains/protocol/token";
import { confirmPassword } from "../auth/confirm-password.ts";
import { admit, deviceChanges, keyClaims } from "../auth/limits.ts";
import { revokeSessions } from "../auth/revoke.ts";
import { conversationPartners, mayReach } from "../db/contacts.ts";
import { devicesOf, publishDevice, published, publishList, renameDevice } from "../db/devices.ts";
import { generationOf } from "../db/instance.ts";
import { type Database, DatabaseError } from "../db/port.ts";
import { addPreKeys, claimPreKeys, countPreKeys, lowKeys } from "../db/prekeys.ts";
import { registration, revocation, staleList } from "../keys/device-change.ts";
import { verifySignatures } from "../keys/signatures.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { tellDevice, tellUsers, unbindDevice } from "../platform/tell.ts";
import { type App, serve } from "./route.ts";

const NO_PERSON = refuse("not_found", "no such person among those you may reach");

/** `/api/keys`: the account's devices and their keys; `/api/users/:id/devices` and `/keys`: those of the people one may reach. */
export function keyRoutes(app: App): void {
  serve(app, "putDevice", async ({ env, db, user, body }) => {
    const done = await register(env, db, user, body);
    return done.ok ? ok(await ownDevices(db, user)) : done;
  });

  serve(app, "listDevices", async ({ db, user }) => ok(await ownDevices(db, user)));

  serve(app, "renameDevice", async ({ env, db, user, params: { deviceId }, body: { name } }) => {
    const admitted = await admit(db, [await deviceChanges(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const renamed = await db.query(renameDevice, [user.sub, deviceId, name]);
    if (renamed.length === 0) return refuse("not_found", "no such device");
    return ok(await ownDevices(db, user));
  });

  serve(app, "putDevices", async ({ env, db, user, body }) => {
    const admitted = await admit(db, [await deviceChanges(env, user.sub)]);
    if (!admitted.ok) return admitted;
    const { deviceList, deviceListSignature } = body;
    const present = await published(db, user.sub);
    const kept = revocation(user.sub, present, deviceList);
    if (!kept.ok) return kept;
    if (present === null || kept.value === null) return ok(await ownDevices(db, user));
    const { identityKey } = present;
    const signed = await verifySignatures(identityKey, { list: body, keys: [] });
    if (!signed.ok) return signed;
    const { version, devices } = deviceList;
    const [changed] = await db.query(publishList, [
      user.sub,
      present.deviceList.version,
      identityKey,
      version,
      JSON.stringify(devices),
      deviceListSignature,
      kept.value,
    ]);
    if (changed === undefined) return staleList(await published(db, user.sub));
    await revokeSessions(env, user.sub, changed.ended);
    await tellChange(env, db, user.sub, identityKey, version);
    return ok(await ownDevices(db, user));
  });

  serve(app, "addPreKeys", async ({ db, user, body }) => {
    const present = await published(db, user.sub);
    if (present === null) return NO_DEVICE;
    const stored = await storePreKeys(db, user, present.identityKey, body);
    if (!stored.ok) return stored;
    const [counts] = await db.query(countPreKeys, [user.sub, [body.deviceId]]);
    return counts === undefined ? NO_DEVICE : ok(counts);
  });

  serve(app, "countPreKeys", async ({ db, user, query }) => {
    const [counts] = await db.query(countPreKeys, [user.sub, [query.deviceId]]);
    return counts === undefined ? refuse("not_found", "no such device") : ok(counts);
  });

  serve(app, "userDevices", async ({ db, user, params }) => {
    if (!(await mayReach(db, user.sub, [params.id]))) return NO_PERSON;
    return ok({ userId: params.id, published: await published(db, params.id) });
  });

  serve(app, "claimKeys", async ({ env, db, user, params: { id }, query }) => {
    if (!(await mayReach(db, user.sub, [id]))) return NO_PERSON;
    const admitted = await admit(db, await keyClaims(env, user.sub, id));
    if (!admitted.ok) return admitted;
    const bundles = await db.query(claimPreKeys, [id, query.devices ?? null]);
    await tellLow(env, db, id, bundles);
    return ok({ userId: id, published: await published(db, id), bundles });
  });
}

const NO_DEVICE = refuse("device_required", "this session speaks for no such device");

async function ownDevices(db: Database, user: AccessClaims): Promise<OwnDevices> {
  const [list, devices, generation] = await Promise.all([
    published(db, user.sub),
    db.query(devicesOf, [user.sub, user.sid]),
    generationOf(db),
  ]);
  return { sessionId: user.sid, generation, published: list, devices };
}

async function register(env: Env, db: Database, user: AccessClaims, body: DeviceBody): Promise<Outcome<undefined>> {
  const admitted = await admit(db, [await deviceChanges(env, user.sub)]);
  if (!admitted.ok) return admitted;
  const decided = registration(user.sub, await published(db, user.sub), body);
  if (!decided.ok) return decided;
  const { signedPreKey, kyberPreKey, identityKey, deviceList, deviceListSignature, deviceId } = body;
  const binding = { ...body, userId: user.sub, sessionId: user.sid };
  const signed = await verifySignatures(identityKey, { list: body, binding, keys: [signedPreKey, kyberPreKey] });
  if (!signed.ok) return signed;
  const { expectedVersion, expectedIdentityKey, kept, fresh, changes, resets } = decided.value;
  if (resets) {
    const confirmed = await confirmPassword(env, db, user.sub, body.reset?.password ?? "");
    if (!confirmed.ok) return confirmed;
  }
  try {
    const [changed] = await db.query(publishDevice, [
      user.sub,
      user.sid,
      expectedVersion,
      expectedIdentityKey,
      identityKey,
      deviceList.version,
      JSON.stringify(deviceList.devices),
      deviceListSignature,
      kept,
      deviceId,
      body.registrationId,
      body.name,
      fresh,
      signedPreKey.keyId,
      signedPreKey.publicKey,
      signedPreKey.signature,
      kyberPreKey.keyId,
      kyberPreKey.publicKey,
      kyberPreKey.signature,
    ]);
    if (changed === undefined) return staleList(await published(db, user.sub));
    await Promise.all([revokeSessions(env, user.sub, changed.ended), unbindDevice(env, user.sub, deviceId, user.sid)]);
  } catch (error) {
    // Two sessions took the device at the same moment, and one has it.
    if (error instanceof DatabaseError && error.kind === "unique")
      return refuse("unavailable", "try again", { retryAfterMs: 100 });
    throw error;
  }
  if (changes) await tellChange(env, db, user.sub, identityKey, deviceList.version);
  return ok();
}

async function storePreKeys(
  db: Database,
  user: AccessClaims,
  identityKey: string,
  { deviceId, preKeys, kyberPreKeys, signedPreKey, kyberPreKey }: PreKeysBody,
): Promise<Outcome<undefined>> {
  const replaced = [signedPreKey, kyberPreKey].flatMap((key) => (key === undefined ? [] : [key]));
  const signed = await verifySignatures(identityKey, { keys: [...kyberPreKeys, ...replaced] });
  if (!signed.ok) return signed;
  const [stored] = await db.query(addPreKeys, [
    user.sub,
    user.sid,
    deviceId,
    [...preKeys.map(() => "ec" as const), ...kyberPreKeys.map(() => "kyber" as const)],
    [...preKeys, ...kyberPreKeys].map(({ keyId }) => keyId),
    [...preKeys, ...kyberPreKeys].map(({ publicKey }) => publicKey),
    [...preKeys.map(() => null), ...kyberPreKeys.map(({ signature }) => signature)],
    LIMITS.preKeysKept,
    signedPreKey?.keyId ?? null,
    signedPreKey?.publicKey ?? null,
    signedPreKey?.signature ?? null,
    kyberPreKey?.keyId ?? null,
    kyberPreKey?.publicKey ?? null,
    kyberPreKey?.signature ?? null,
  ]);
  if (stored === undefined) return NO_DEVICE;
  return stored.fits ? ok() : refuse("limit_reached", `at most ${LIMITS.preKeysKept} unused keys of a kind are kept`);
}

/** Everyone who shares a direct conversation with the account, and its own other devices, learn of a new list. */
async function tellChange(env: Env, db: Database, userId: UserId, identityKey: string, version: number): Promise<void> {
  const partners = await db.query(conversationPartners, [userId]);
  const event = { event: "keys:changed" as const, body: { userId, identityKey, version } };
  await tellUsers(env, [userId, ...partners.map(({ id }) => id)], event);
}

/** Counted after the claim, in a statement of its own: claims that run at once all see the last key go. */
async function tellLow(env: Env, db: Database, userId: UserId, bundles: readonly Bundle[]): Promise<void> {
  const deviceIds: DeviceId[] = bundles.map(({ deviceId }) => deviceId);
  for (const { deviceId, event } of await lowKeys(db, userId, deviceIds))
    await tellDevice(env, userId, deviceId, event);
}
