import type { Layers, Source } from "@lescopains/protocol/sfu/media";

/** What one wants to receive of a picture. */
export interface Wanted {
  readonly layers: Layers;
  /** Who gets bandwidth first: 1 to 255. */
  readonly priority: number;
}

/** The widths of a camera's layers, with some room to enlarge them: a small picture does not need all of a large one. */
const SMALL_PX = 360;
const MIDDLE_PX = 720;
/** Sound before pictures, a screen before cameras, large cameras before small ones. */
const PRIORITIES = { audio: 255, "screen-audio": 250, screen: 200, camera: 100 } as const;

/** What a picture that is shown `widthPx` device pixels wide is worth. */
export function wanted(source: Source, widthPx: number): Wanted {
  if (source !== "camera") return { layers: { spatialLayer: 2, temporalLayer: 2 }, priority: PRIORITIES[source] };
  const spatialLayer = widthPx <= SMALL_PX ? 0 : widthPx <= MIDDLE_PX ? 1 : 2;
  return { layers: { spatialLayer, temporalLayer: 2 }, priority: PRIORITIES.camera + 30 * spatialLayer };
}
