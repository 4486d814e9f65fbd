import "./ui/tokens.css";
import "./ui/base.css";
import { render } from "preact";
import { App } from "./app/app.tsx";
import { ClientContext } from "./app/client-context.ts";
import { followSystemLook } from "./app/look.ts";
import { startRouter } from "./app/router.ts";
import { trustOwnScripts } from "./app/trusted-types.ts";
import { createClient } from "./sync/client.ts";
import { browserDeps } from "./sync/browser.ts";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app");

trustOwnScripts();
const client = createClient(browserDeps());
startRouter();
followSystemLook();
client.restore();
render(
  <ClientContext.Provider value={client}>
    <App />
  </ClientContext.Provider>,
  root,
);
