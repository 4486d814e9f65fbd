import type { MediaId } from "@lescopains/protocol/sfu/media";
import { ROOM_CODECS } from "@lescopains/protocol/sfu/media";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { eventually } from "./eventually.ts";
import type { Outcome } from "@lescopains/protocol/outcome";
import type {
  ConsumeOptions,
  MediaEngine,
  MediaRouter,
  MediaTransport,
  MediaWorker,
} from "../../../sfu-node/src/media/port.ts";
import { opusParameters, soundOnly, svcParameters, videoParameters } from "./rtp-samples.ts";

/** Unwraps what must have been granted. */
function granted<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.value;
}

function codeOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? "ok" : outcome.error.code;
}

const fingerprint = { algorithm: "sha-256", value: "ab" + ":cd".repeat(31) } as const;
const quiet = { onClosed: () => undefined, onLayers: () => undefined };

/** What holds for every media engine. `kill` ends a worker as a crash would. */
export function mediaContract(
  name: string,
  engineOf: () => Promise<MediaEngine>,
  kill: (worker: MediaWorker) => void,
): void {
  describe(name, () => {
    let engine: MediaEngine;
    let worker: MediaWorker;
    let other: MediaWorker;

    beforeAll(async () => {
      engine = await engineOf();
      worker = await engine.startWorker(0);
      other = await engine.startWorker(1);
    });
    afterAll(() => {
      worker.close();
      other.close();
    });

    async function router(of = worker, codecs: keyof typeof ROOM_CODECS = "encrypted"): Promise<MediaRouter> {
      const made = await of.createRouter({ codecs: ROOM_CODECS[codecs], onSpeakers: () => undefined });
      onTestFinished(() => made.close());
      return made;
    }
    async function transport(of: MediaRouter, tcpOnly = false): Promise<MediaTransport> {
      return granted(await of.createTransport({ tcpOnly, onState: () => undefined }));
    }
    function consume(of: MediaTransport, on: MediaRouter, producerId: MediaId, more: Partial<ConsumeOptions> = {}) {
      return of.consume({ producerId, rtpCapabilities: on.rtpCapabilities, layers: undefined, ...quiet, ...more });
    }
    const microphone = { kind: "audio", rtpParameters: opusParameters(), paused: false } as const;
    const camera = { kind: "video", rtpParameters: videoParameters(), paused: false } as const;

    test("[SM1] a router carries the codecs of its room and no others", async () => {
      const codecsOf = ({ rtpCapabilities }: MediaRouter): string[] =>
        (rtpCapabilities.codecs ?? []).map(({ mimeType }) => mimeType).filter((type) => type !== "video/rtx");
      expect(codecsOf(await router())).toEqual(["audio/opus", "video/VP8", "video/VP9"]);
      expect(codecsOf(await router(worker, "plain"))).toEqual(["audio/opus", "video/VP8", "video/VP9", "video/H264"]);

      const sender = await transport(await router());
      for (const mimeType of ["video/H264", "video/AV1"]) {
        const rtpParameters = videoParameters(mimeType);
        expect(codeOf(await sender.produce({ ...camera, rtpParameters }))).toBe("codec_unsupported");
      }
      const red = {
        ...opusParameters(),
        codecs: [{ mimeType: "audio/red", payloadType: 63, clockRate: 48_000, channels: 2 }],
      };
      expect(codeOf(await sender.produce({ ...microphone, rtpParameters: red }))).toBe("codec_unsupported");
    });

    test("[SM2] a transport offers UDP and TCP, or TCP alone, and is connected once", async () => {
      const room = await router();
      const both = await transport(room);
      const protocols = (of: MediaTransport): string[] =>
        [...new Set(of.parameters.iceCandidates.map(({ protocol }) => protocol))].toSorted();
      expect(protocols(both)).toEqual(["tcp", "udp"]);
      expect(protocols(await transport(room, true))).toEqual(["tcp"]);
      expect(codeOf(await both.connect({ role: "client", fingerprints: [fingerprint] }))).toBe("ok");
      expect(codeOf(await both.connect({ role: "client", fingerprints: [fingerprint] }))).toBe("invalid_request");
      const { password } = both.parameters.iceParameters;
      expect(granted(await both.restartIce()).password).not.toBe(password);
    });

    test("[SM3] what a transport sends, another receives: paused, simulcast, with layers", async () => {
      const room = await router();
      const [sender, receiver] = [await transport(room), await transport(room)];
      const sound = granted(await sender.produce(microphone));
      const picture = granted(await sender.produce(camera));
      const heard = granted(await consume(receiver, room, sound.id));
      expect([heard.kind, heard.type]).toEqual(["audio", "simple"]);
      const seen = granted(
        await consume(receiver, room, picture.id, { layers: { spatialLayer: 1, temporalLayer: 2 } }),
      );
      expect([seen.kind, seen.type]).toEqual(["video", "simulcast"]);
      expect(seen.rtpParameters.codecs[0]?.mimeType).toBe("video/VP8");
      const screen = granted(await sender.produce({ ...camera, rtpParameters: svcParameters() }));
      expect(granted(await consume(receiver, room, screen.id)).type).toBe("svc");
      await seen.resume();
      await seen.setLayers({ spatialLayer: 0 });
      await seen.setPriority(200);
      await seen.requestKeyFrame();
      await seen.pause();
      for (const one of [picture, seen])
        expect(await one.passage()).toEqual({ loss: undefined, roundTripMs: undefined });
      expect((await sender.stats()).bitrateIn).toBe(0);
    });

    test("[SM4] malformed parameters are refused and the transport goes on", async () => {
      const room = await router();
      const sender = await transport(room);
      const twice = { ...opusParameters(), encodings: [{ ssrc: 5 }, { ssrc: 5 }] };
      expect(codeOf(await sender.produce({ ...microphone, rtpParameters: twice }))).toBe("invalid_request");
      const [codec] = videoParameters().codecs.slice(1);
      const lone = { ...videoParameters(), codecs: codec === undefined ? [] : [codec] };
      expect(codeOf(await sender.produce({ ...camera, rtpParameters: lone }))).toBe("invalid_request");
      const nine = videoParameters("video/VP9");
      expect(codeOf(await sender.produce({ ...camera, rtpParameters: nine }))).toBe("invalid_request");
      expect(codeOf(await sender.produce(camera))).toBe("ok");
    });

    test("[SM5] a receiver without a codec of the sender is refused", async () => {
      const room = await router();
      const [sender, receiver] = [await transport(room), await transport(room)];
      const { id } = granted(await sender.produce(camera));
      const rtpCapabilities = soundOnly(room.rtpCapabilities);
      expect(codeOf(await consume(receiver, room, id, { rtpCapabilities }))).toBe("codec_unsupported");
      expect(codeOf(await consume(receiver, room, id))).toBe("ok");
    });

    test("[SM6] a producer of another room, or of none, is not found", async () => {
      const [here, there] = [await router(), await router()];
      const { id } = granted(await (await transport(there)).produce(microphone));
      const receiver = await transport(here);
      expect(codeOf(await consume(receiver, here, id))).toBe("not_found");
      expect(codeOf(await consume(receiver, here, "00000000-0000-4000-8000-000000000000"))).toBe("not_found");
      expect(codeOf(await receiver.consumeData({ dataProducerId: id, onClosed: () => undefined }))).toBe("not_found");
    });

    test("[SM7] a producer closes its consumers, a transport all that is on it, a router its transports", async () => {
      const room = await router();
      const [sender, receiver] = [await transport(room), await transport(room)];
      const one = granted(await sender.produce(microphone));
      const two = granted(await sender.produce(camera));
      const closed = vi.fn<(which: string) => void>();
      const consumer = granted(await consume(receiver, room, one.id, { onClosed: () => closed("one") }));
      granted(await consume(receiver, room, two.id, { onClosed: () => closed("two") }));
      one.close();
      one.close();
      await eventually(() => expect(closed.mock.calls).toEqual([["one"]]));
      await Promise.all([consumer.resume(), consumer.setLayers({ spatialLayer: 0 }), one.pause()]);
      consumer.close();
      sender.close();
      await eventually(() => expect(closed.mock.calls).toEqual([["one"], ["two"]]));
      expect(codeOf(await sender.produce(camera))).toBe("not_found");
      expect(codeOf(await sender.connect({ fingerprints: [fingerprint] }))).toBe("not_found");
      room.close();
      expect(codeOf(await consume(receiver, room, two.id))).toBe("not_found");
      expect(codeOf(await receiver.restartIce())).toBe("not_found");
      expect(codeOf(await room.createTransport({ tcpOnly: false, onState: () => undefined }))).toBe("not_found");
      expect(await receiver.stats()).toEqual({ bitrateIn: 0, bitrateOut: 0 });
      expect(await consumer.passage()).toEqual({ loss: undefined, roundTripMs: undefined });
    });

    test("[SM7] what closes while something is being made on it has made nothing", async () => {
      const room = await router();
      const sender = await transport(room);
      const making = [sender.produce(microphone), sender.produce(camera), sender.restartIce()];
      sender.close();
      expect((await Promise.all(making)).map(codeOf)).toEqual(["not_found", "not_found", "not_found"]);
      const opening = [1, 2].map(() => room.createTransport({ tcpOnly: false, onState: () => undefined }));
      room.close();
      expect((await Promise.all(opening)).map(codeOf)).toEqual(["not_found", "not_found"]);
    });

    test("[SM7] a consumer that is closed by its owner says nothing", async () => {
      const room = await router();
      const [sender, receiver] = [await transport(room), await transport(room)];
      const producer = granted(await sender.produce(microphone));
      const closed = vi.fn<() => void>();
      const mine = granted(await consume(receiver, room, producer.id, { onClosed: closed }));
      const witness = Promise.withResolvers<void>();
      granted(await consume(receiver, room, producer.id, { onClosed: witness.resolve }));
      mine.close();
      producer.close();
      await witness.promise;
      expect(closed).not.toHaveBeenCalled();
    });

    test("[SM8] a producer that is piped to another worker is received there, and its end is told there", async () => {
      const [near, far] = [await router(worker), await router(other)];
      const [sender, receiver] = [await transport(near), await transport(far)];
      const producer = granted(await sender.produce(camera));
      const { id } = producer;
      expect(codeOf(await consume(receiver, far, id))).toBe("not_found");
      const pipes = await Promise.all([near.pipe(id, far), near.pipe(id, far)]);
      expect(pipes.map(codeOf)).toEqual(["ok", "ok"]);
      expect(codeOf(await near.pipe("00000000-0000-4000-8000-000000000000", far))).toBe("not_found");
      const ended = Promise.withResolvers<void>();
      const consumer = granted(await consume(receiver, far, id, { onClosed: ended.resolve }));
      expect(consumer.type).toBe("simulcast");
      producer.close();
      await ended.promise;
      expect(codeOf(await near.pipe(id, far))).toBe("not_found");
    });

    test("[SM9] data channels: sent, received, piped, closed", async () => {
      const [near, far] = [await router(worker), await router(other)];
      const [sender, receiver, distant] = [await transport(near), await transport(near), await transport(far)];
      const sctpStreamParameters = { streamId: 1, ordered: true };
      const data = granted(await sender.produceData({ sctpStreamParameters, label: "events" }));
      const ended: string[] = [];
      const onClosed = (): unknown => ended.push("near");
      const here = granted(await receiver.consumeData({ dataProducerId: data.id, onClosed }));
      expect(here.sctpStreamParameters.ordered).toBe(true);
      granted(await near.pipeData(data.id, far));
      granted(await distant.consumeData({ dataProducerId: data.id, onClosed: () => ended.push("far") }));
      data.close();
      await eventually(() => expect(ended.toSorted()).toEqual(["far", "near"]));
    });

    test("[SM10] a worker that dies says so, what was on it is closed, and others go on", async () => {
      const mortal = await engine.startWorker(2);
      const room = await router(mortal);
      const sender = await transport(room);
      granted(await sender.produce(microphone));
      expect(await mortal.cpuMs()).toBeGreaterThanOrEqual(0);
      kill(mortal);
      await mortal.died;
      expect(codeOf(await sender.produce(camera))).toBe("not_found");
      expect(codeOf(await room.createTransport({ tcpOnly: false, onState: () => undefined }))).toBe("not_found");
      expect(codeOf(await (await transport(await router())).produce(microphone))).toBe("ok");
    });
  });
}
