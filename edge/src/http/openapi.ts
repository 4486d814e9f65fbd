import { ErrorResponse } from "@lescopains/protocol/errors";
import type { Route } from "@lescopains/protocol/rest";
import { ROUTES } from "@lescopains/protocol/routes";
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { App } from "./route.ts";

/** JSON Schema of a contract schema. Checks that JSON Schema can't say (and brands) are left out. */
function schema(of: v.GenericSchema, typeMode: "input" | "output"): object {
  const { $schema: _, ...rest } = toJsonSchema(of, { errorMode: "ignore", typeMode });
  return rest;
}

function parameters(where: "path" | "query" | "header", of: v.GenericSchema | undefined): object[] {
  if (of === undefined) return [];
  const { properties = {}, required = [] } = schema(of, "input") as { properties?: object; required?: string[] };
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: one,
  }));
}

function operation(name: string, route: Route): object {
  const json = (of: v.GenericSchema, mode: "input" | "output") => ({
    content: { "application/json": { schema: schema(of, mode) } },
  });
  return {
    operationId: name,
    summary: route.summary,
    security: {
      user: [{ accessToken: [] }],
      operator: [{ accessToken: [] }],
      cookie: [{ refreshCookie: [] }],
      none: [],
    }[route.auth],
    parameters: [
      ...parameters("path", route.params),
      ...parameters("query", route.query),
      ...parameters("header", route.headers),
    ],
    ...(route.body === undefined ? {} : { requestBody: { required: true, ...json(route.body, "input") } }),
    responses: {
      [route.status]: {
        description: route.status === 204 ? "Done" : "OK",
        ...(route.answer === undefined ? {} : json(route.answer, "output")),
      },
      ...(route.foundStatus === undefined ? {} : { [route.foundStatus]: { description: "It was there already" } }),
      default: { description: "A refusal", ...json(ErrorResponse, "output") },
    },
  };
}

/** The REST part of the contract as an OpenAPI 3.1 document. */
function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "LesCopains", version: "1", license: { name: "AGPL-3.0-only", identifier: "AGPL-3.0-only" } },
    paths,
    components: {
      securitySchemes: {
        accessToken: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        refreshCookie: { type: "apiKey", in: "cookie", name: "lescopains_refresh" },
      },
    },
  };
}

export function openApiRoutes(app: App): void {
  let document: object | undefined;
  app.get("/api/openapi.json", (c) => c.json((document ??= openApi())));
}
