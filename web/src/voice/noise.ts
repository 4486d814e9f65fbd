// oxlint-disable-next-line import/default -- Vite bundles it, and gives its address
import rnnoiseWorkletUrl from "@sapphi-red/web-noise-suppressor/rnnoiseWorklet.js?worker&url";
import rnnoiseUrl from "@sapphi-red/web-noise-suppressor/rnnoise.wasm?url";
import rnnoiseSimdUrl from "@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url";

/** Takes the noise out of a voice, in the audio thread. */
export interface NoiseFilter {
  readonly node: AudioNode;
  readonly close: () => void;
}

/** RNNoise. Undefined where it cannot run: a browser without WebAssembly in its audio thread, or code that did not come. */
export async function createNoiseFilter(context: AudioContext): Promise<NoiseFilter | undefined> {
  try {
    const { loadRnnoise, RnnoiseWorkletNode } = await import("@sapphi-red/web-noise-suppressor");
    const [wasmBinary] = await Promise.all([
      loadRnnoise({ url: rnnoiseUrl, simdUrl: rnnoiseSimdUrl }),
      context.audioWorklet.addModule(rnnoiseWorkletUrl),
    ]);
    // In the audio thread nobody would hear of a failure, and of the voice neither.
    await WebAssembly.compile(wasmBinary.slice(0));
    const node = new RnnoiseWorkletNode(context, { maxChannels: 1, wasmBinary });
    node.channelCount = 1;
    node.channelCountMode = "explicit";
    return {
      node,
      close() {
        node.disconnect();
        node.destroy();
      },
    };
  } catch {
    return undefined;
  }
}
