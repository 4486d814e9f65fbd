/** `npm run sfu -- list | drain <node> [--deadline 30m] | undrain <node> [--edge https://example.org]`: the voice nodes of an installation. */
import { runCommand } from "./command.ts";
import { drainNode, listNodes, undrainNode } from "./sfu/nodes.ts";
import { findEdge, parseWish } from "./sfu/wish.ts";

await runCommand(async (stop) => {
  const wish = parseWish(process.argv.slice(2));
  const edge = findEdge(wish.edge, process.env);
  const said = { list: listNodes, drain: drainNode, undrain: undrainNode }[wish.verb];
  console.log(await said(edge, wish, stop));
  return 0;
});
