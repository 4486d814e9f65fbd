import { ERRORS, type ErrorBody } from "@lescopains/protocol/errors";
import { log } from "../platform/logger.ts";

let told = false;

/** Answers everything while settings are missing or wrong: half an installation loses data. The log gets the same words, once. */
export function refuseToServe(problems: readonly string[]): Response {
  const message = `this installation is not configured: ${problems.join("; ")}`;
  if (!told) log.error("not configured", message);
  told = true;
  const error: ErrorBody = { code: "unavailable", message };
  return Response.json({ error }, { status: ERRORS.unavailable.status, headers: { "cache-control": "no-store" } });
}
