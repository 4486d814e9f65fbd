import { Registration } from "@lescopains/protocol/instance";
import type { OperatorEntry } from "@lescopains/protocol/operator";
import * as v from "valibot";
import { dateFormat } from "../../app/i18n.ts";
import { inviteListWords } from "../../app/invites/words.ts";
import { operatorWords } from "./words.ts";

const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });
const MaybeText = v.nullable(v.string());
const MaybeCount = v.nullable(v.number());

/** What each detail of the log says; undefined: it is not what this client knows. */
const DETAILS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  name: (value) => (v.is(v.string(), value) ? operatorWords.value.detailName({ name: value }) : undefined),
  registration: (value) =>
    v.is(Registration, value)
      ? operatorWords.value.detailRegistration({ who: operatorWords.value[`mode_${value}`] })
      : undefined,
  serverInvites: (value) =>
    v.is(v.boolean(), value) ? operatorWords.value[value ? "detailServerInvites" : "detailNoServerInvites"] : undefined,
  maxUses: (value) => {
    if (!v.is(MaybeCount, value)) return undefined;
    return value === null ? inviteListWords.value.anyUses : inviteListWords.value.usesCount(value);
  },
  expiresAt: (value) => {
    if (!v.is(MaybeText, value)) return undefined;
    const { forever, until } = inviteListWords.value;
    return value === null ? forever : until({ date: moment.value.format(new Date(value)) });
  },
  minutes: (value) => {
    if (!v.is(v.number(), value)) return undefined;
    return value === 0 ? operatorWords.value.detailAtOnce : operatorWords.value.detailMinutes(value);
  },
};

/** The details of a line of the log, in words; a later version's are left out. Follows the language when read in a component. */
export function detailsText(details: NonNullable<OperatorEntry["details"]>): string[] {
  return Object.entries(details).flatMap(([key, value]) =>
    Object.hasOwn(DETAILS, key) ? (DETAILS[key]?.(value) ?? []) : [],
  );
}
