/**
 * Layers of simulcast go to an SFU, never to a browser: no browser answers an offer of them. So each layer is offered as a video of its own,
 * with the layer's name in place of the media section's, and the answers are put together as one that takes all layers.
 */
const RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
const notForOne = /^a=(?:mid|rid|simulcast|msid|ssrc|ssrc-group|group):?/;

function split(sdp: string): { readonly session: string[]; readonly sections: string[][] } {
  const [session = "", ...sections] = sdp.split(/(?=^m=)/m);
  return { session: linesOf(session), sections: sections.map(linesOf) };
}

function linesOf(text: string): string[] {
  return text.split("\r\n").filter((line) => line !== "");
}

/** The id that an extension has in a section. */
function extensionId(section: readonly string[], uri: string): string {
  const line = section.find((candidate) => candidate.startsWith("a=extmap:") && candidate.endsWith(` ${uri}`));
  return /^a=extmap:(\d+)/.exec(line ?? "")?.[1] ?? "";
}

function withoutExtensions(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.startsWith("a=extmap:") || !line.includes(":sdes:"));
}

/** What the sender offers, as videos that have the names of its layers. */
export function oneSectionForEach(sdp: string, rids: readonly string[]): string {
  const { session, sections } = split(sdp);
  const [section = []] = sections;
  const common = withoutExtensions(section.filter((line) => !notForOne.test(line)));
  const named = `a=extmap:${extensionId(section, RID)} ${MID}`;
  const lines = [
    ...session.filter((line) => !notForOne.test(line)),
    `a=group:BUNDLE ${rids.join(" ")}`,
    ...rids.flatMap((rid) => [...common, named, `a=mid:${rid}`, `a=msid:${rid} ${rid}`]),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

/** The answer to those videos, as one to what was offered. */
export function oneSectionForAll(sdp: string, offered: string, rids: readonly string[]): string {
  const { session, sections } = split(sdp);
  const [section = []] = sections;
  const [offer = []] = split(offered).sections;
  const mid = offer.find((line) => line.startsWith("a=mid:")) ?? "a=mid:0";
  const lines = [
    ...session.filter((line) => !notForOne.test(line)),
    `a=group:BUNDLE ${mid.slice("a=mid:".length)}`,
    ...withoutExtensions(section.filter((line) => !notForOne.test(line))),
    `a=extmap:${extensionId(offer, MID)} ${MID}`,
    `a=extmap:${extensionId(offer, RID)} ${RID}`,
    mid,
    ...rids.map((rid) => `a=rid:${rid} recv`),
    `a=simulcast:recv ${rids.join(";")}`,
  ];
  return `${lines.join("\r\n")}\r\n`;
}
