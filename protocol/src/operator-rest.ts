import * as v from "valibot";
import { InviteCode, Self, text } from "./entities.ts";
import { UserId } from "./ids.ts";
import { Instance } from "./instance.ts";
import { LIMITS } from "./limits.ts";
import {
  ClaimBody,
  InstanceInvite,
  InstanceInviteCreate,
  InstancePatch,
  MadePasswordLink,
  OperatorLog,
  OperatorStatus,
  OperatorUser,
  OperatorUserDelete,
  OperatorUserPatch,
  OperatorUsers,
  VoiceNode,
  VoiceNodePatch,
} from "./operator.ts";
import { queryNumber, type Route } from "./rest.ts";
import { NodeId } from "./sfu/token.ts";

const OperatorUsersQuery = v.object({
  /** Part of a name or of an e-mail address. */
  search: v.optional(text(LIMITS.emailMax)),
  only: v.optional(v.picklist(["operators", "disabled"])),
  /** Cursor: `next` of the page before. */
  after: v.optional(text(LIMITS.usernameMax)),
  limit: v.optional(queryNumber(1, LIMITS.operatorPage), String(LIMITS.operatorPage)),
});

const OperatorLogQuery = v.object({
  /** Cursor: `next` of the page before. */
  before: v.optional(queryNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: v.optional(queryNumber(1, LIMITS.operatorPage), String(LIMITS.operatorPage)),
});

/** What operators ask. Apart from `REST`, so that nobody else loads it. */
export const OPERATOR_REST = {
  claimInstance: {
    method: "POST",
    path: "/api/operator/claim",
    summary: "Become the first operator, with the secret of the link in the log",
    auth: "user",
    body: ClaimBody,
    status: 200,
    answer: Self,
  },
  operatorStatus: {
    method: "GET",
    path: "/api/operator/status",
    summary: "Versions, sizes and counts of the instance",
    auth: "operator",
    status: 200,
    answer: OperatorStatus,
  },
  patchInstance: {
    method: "PATCH",
    path: "/api/operator/instance",
    summary: "Change the instance's name or who may make an account",
    auth: "operator",
    body: InstancePatch,
    status: 200,
    answer: Instance,
  },
  listAccounts: {
    method: "GET",
    path: "/api/operator/users",
    summary: "Accounts, by name",
    auth: "operator",
    query: OperatorUsersQuery,
    status: 200,
    answer: OperatorUsers,
  },
  patchAccount: {
    method: "PATCH",
    path: "/api/operator/users/:id",
    summary: "Disable or enable an account, make or unmake an operator, end two-factor sign-in",
    auth: "operator",
    params: v.object({ id: UserId }),
    body: OperatorUserPatch,
    status: 200,
    answer: OperatorUser,
  },
  makePasswordLink: {
    method: "POST",
    path: "/api/operator/users/:id/password-link",
    summary: "Make a link by which somebody who forgot their password sets a new one; the one before is void",
    auth: "operator",
    params: v.object({ id: UserId }),
    status: 201,
    answer: MadePasswordLink,
  },
  deleteAccount: {
    method: "DELETE",
    path: "/api/operator/users/:id",
    summary: "Delete an account with the servers it owns; its messages elsewhere stay without a name",
    auth: "operator",
    params: v.object({ id: UserId }),
    body: OperatorUserDelete,
    status: 204,
  },
  listInstanceInvites: {
    method: "GET",
    path: "/api/operator/invites",
    summary: "Invites to make an account",
    auth: "operator",
    status: 200,
    answer: v.object({ invites: v.array(InstanceInvite) }),
  },
  createInstanceInvite: {
    method: "POST",
    path: "/api/operator/invites",
    summary: "Make an invite to make an account",
    auth: "operator",
    body: InstanceInviteCreate,
    status: 201,
    answer: InstanceInvite,
  },
  revokeInstanceInvite: {
    method: "DELETE",
    path: "/api/operator/invites/:code",
    summary: "End an invite to make an account",
    auth: "operator",
    params: v.object({ code: InviteCode }),
    status: 204,
  },
  listVoiceNodes: {
    method: "GET",
    path: "/api/operator/nodes",
    summary: "Voice nodes and their load",
    auth: "operator",
    status: 200,
    answer: v.object({ nodes: v.array(VoiceNode) }),
  },
  patchVoiceNode: {
    method: "PATCH",
    path: "/api/operator/nodes/:node",
    summary: "Take a voice node out of service, or back",
    auth: "operator",
    params: v.object({ node: NodeId }),
    body: VoiceNodePatch,
    status: 204,
  },
  operatorLog: {
    method: "GET",
    path: "/api/operator/log",
    summary: "What operators did, latest first",
    auth: "operator",
    query: OperatorLogQuery,
    status: 200,
    answer: OperatorLog,
  },
} as const satisfies Record<string, Route>;
