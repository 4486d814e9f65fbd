import { SFU_EVENTS } from "./sfu/events.ts";
import { FromEdge, FromNode } from "./sfu/registry.ts";
import { SFU_REQUESTS } from "./sfu/requests.ts";
import { RoomClaims } from "./sfu/token.ts";
import { AccessClaims } from "./token.ts";
import { DOWN } from "./down.ts";
import { ERRORS } from "./errors.ts";
import { PERMISSIONS } from "./permissions.ts";
import { ROUTES } from "./routes.ts";
import { UP } from "./up.ts";

/** Everything that another program can see of this product's wire; `wire.test.ts` pins its hash. */
export const WIRE = {
  ROUTES,
  UP,
  DOWN,
  ERRORS,
  PERMISSIONS,
  AccessClaims,
  SFU_REQUESTS,
  SFU_EVENTS,
  RoomClaims,
  FromNode,
  FromEdge,
} as const;
