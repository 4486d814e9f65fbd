/**
 * `npm run sfu -- list | drain <node> [--deadline 30m] | undrain <node> [--edge https://example.org]`: the voice nodes of an installation.
 * `npm run sfu -- renew-secret | forget-secret`: what they prove themselves by.
 */
import { runCommand } from "./command.ts";
import { drainNode, listNodes, undrainNode } from "./sfu/nodes.ts";
import { changeSecret, isChange } from "./sfu/secret.ts";
import { dataDirOf, findEdge, parseWish } from "./sfu/wish.ts";

await runCommand(async (stop) => {
  const wish = parseWish(process.argv.slice(2));
  if (isChange(wish.verb)) {
    console.log(changeSecret(wish.verb, dataDirOf(process.env)));
    return 0;
  }
  const edge = findEdge(wish.edge, process.env);
  const said = { list: listNodes, drain: drainNode, undrain: undrainNode }[wish.verb];
  console.log(await said(edge, wish, stop));
  return 0;
});
