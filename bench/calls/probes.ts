/**
 * What runs inside the browser: a microphone and a camera that say what time it is, and eyes and ears that note when it arrives. Each function is
 * sent there as text: it uses nothing from outside. All clocks are `Date.now()` of the one machine.
 */

/** The pitch changed, or there is sound where there was none. */
export interface Turn {
  readonly atMs: number;
  readonly pitch: "low" | "high";
  /** Place in `connections` of the one that it came by. */
  readonly connection: number;
}

export interface Picture {
  readonly atMs: number;
  readonly drawnMs: number;
  readonly height: number;
}

export interface CallProbe {
  /** All that the page has opened. */
  readonly connections: RTCPeerConnection[];
  /** By the own microphone. */
  readonly spoken: Turn[];
  readonly heard: Turn[];
  /** What others' cameras of this kind showed. */
  readonly seen: Picture[];
  /** When the page was last clicked. */
  clickedMs: number;
}

declare global {
  var callProbe: CallProbe;
}

/** Runs before anything of the page. */
export function watchCall(): void {
  const hz = { low: 600, high: 2_400 } as const;
  const lookEveryMs = 4;
  /** Long enough for every delay, and never in step with frames of 20 ms. */
  const turnEveryMs = 700;
  const turnSpreadMs = 60;
  const sampleRate = 48_000;
  const windowSamples = 256;
  /** Periods in a window, between those of the two pitches. */
  const betweenPeriods = 8;
  const quiet = 0.01;

  const probe: CallProbe = { connections: [], spoken: [], heard: [], seen: [], clickedMs: 0 };
  globalThis.callProbe = probe;
  addEventListener("click", () => (probe.clickedMs = Date.now()), { capture: true });
  const Native = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      probe.connections.push(this);
    }
  };

  const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
  const known = new WeakSet<object>();
  const ears: (() => void)[] = [];
  const samples = new Float32Array(windowSamples);

  function listen(track: MediaStreamTrack, connection: number, turns: Turn[]): void {
    const analyser = new AnalyserNode(context, { fftSize: windowSamples });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    let last: Turn["pitch"] | undefined;
    ears.push(() => {
      analyser.getFloatTimeDomainData(samples);
      if (!samples.some((sample) => Math.abs(sample) > quiet)) return;
      const periods = samples.filter((sample, index) => index > 0 && (samples[index - 1] ?? 0) < 0 && sample >= 0);
      const pitch = periods.length > betweenPeriods ? "high" : "low";
      if (pitch !== last) turns.push({ atMs: Date.now(), pitch, connection });
      last = pitch;
    });
  }

  // The time stands at the upper rim, 16 bits of it and the same inverted: a picture that is torn or somebody else's is not read.
  const bits = 16;
  const cells = bits * 2;
  const barHeight = 1 / 9;

  function microphone(): MediaStream {
    const oscillator = new OscillatorNode(context, { frequency: hz.low });
    const gain = new GainNode(context, { gain: 0.3 });
    const end = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    oscillator.connect(gain).connect(end);
    oscillator.start();
    const turn = (pitch: Turn["pitch"]): void => {
      oscillator.frequency.value = hz[pitch];
      setTimeout(() => turn(pitch === "low" ? "high" : "low"), turnEveryMs + Math.random() * turnSpreadMs);
    };
    turn("high");
    for (const track of end.stream.getAudioTracks()) listen(track, -1, probe.spoken);
    return end.stream;
  }

  function camera(): MediaStream {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 1_280, height: 720 });
    const brush = canvas.getContext("2d", { alpha: false });
    if (brush === null) throw new Error("nothing to paint with");
    let frame = 0;
    setInterval(() => {
      frame += 1;
      brush.fillStyle = "#456";
      brush.fillRect(0, 0, canvas.width, canvas.height);
      // Something to encode: a face's worth of what changes.
      for (let n = 0; n < 40; n += 1) {
        brush.fillStyle = `hsl(${(n * 37 + frame) % 360} 50% 50%)`;
        brush.fillRect(400 + ((n * 97 + frame * 3) % 480), 200 + ((n * 53 + frame) % 360), 60, 60);
      }
      const nowMs = Date.now() % 2 ** bits;
      for (let cell = 0; cell < cells; cell += 1) {
        const isSet = ((nowMs >> (cell % bits)) & 1) === (cell < bits ? 1 : 0);
        brush.fillStyle = isSet ? "white" : "black";
        const width = canvas.width / cells;
        brush.fillRect(cell * width, 0, width, canvas.height * barHeight);
      }
    }, 1_000 / 30);
    return canvas.captureStream(30);
  }

  let mouth: MediaStream | undefined;
  let face: MediaStream | undefined;
  navigator.mediaDevices.getUserMedia = async ({ audio = false, video = false } = {}) => {
    await context.resume();
    if (audio !== false) mouth ??= microphone();
    if (video !== false) face ??= camera();
    const audios = audio === false ? [] : (mouth?.getAudioTracks() ?? []);
    const videos = video === false ? [] : (face?.getVideoTracks() ?? []);
    // Whoever has them may end them.
    return new MediaStream([...audios, ...videos].map((track) => track.clone()));
  };

  const strip = new OffscreenCanvas(cells * 4, 4);
  const pencil = strip.getContext("2d", { willReadFrequently: true, alpha: false });

  /** The time that stands in a picture, not longer ago than `bits` can say. */
  function timeIn(video: HTMLVideoElement, nowMs: number): number | undefined {
    if (pencil === null) return undefined;
    const { videoWidth: width, videoHeight: height } = video;
    // The middle of the bar, where no blur of its rim reaches.
    pencil.drawImage(
      video,
      0,
      height * barHeight * 0.4,
      width,
      height * barHeight * 0.2,
      0,
      0,
      strip.width,
      strip.height,
    );
    const { data } = pencil.getImageData(0, 0, strip.width, 1);
    const lit = Array.from({ length: cells }, (_, cell) => (data[(cell * 4 + 2) * 4] ?? 0) > 127);
    let value = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      if (lit[bit] === lit[bit + bits]) return undefined;
      if (lit[bit] === true) value |= 1 << bit;
    }
    const agoMs = ((nowMs % 2 ** bits) - value + 2 ** bits) % 2 ** bits;
    return nowMs - agoMs;
  }

  function look(video: HTMLVideoElement): void {
    video.requestVideoFrameCallback(() => {
      const atMs = Date.now();
      const drawnMs = timeIn(video, atMs);
      if (drawnMs !== undefined) probe.seen.push({ atMs, drawnMs, height: video.videoHeight });
      look(video);
    });
  }

  setInterval(() => {
    for (const [index, connection] of probe.connections.entries()) {
      if (connection.connectionState === "closed") continue;
      for (const { track } of connection.getReceivers()) {
        if (track.kind !== "audio" || known.has(track)) continue;
        known.add(track);
        listen(track, index, probe.heard);
      }
    }
    for (const video of document.querySelectorAll<HTMLVideoElement>("video:not([data-mirrored=true])")) {
      if (known.has(video)) continue;
      known.add(video);
      look(video);
    }
    for (const ear of ears) ear();
  }, lookEveryMs);
}
