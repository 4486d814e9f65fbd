import type { ReadonlySignal } from "@preact/signals";
import { SILENT_DB } from "../../../voice/level.ts";
import { voiceSettingsWords } from "./words.ts";

interface LevelBarProps {
  readonly label: string;
  readonly levelDb: ReadonlySignal<number>;
  /** From here on one is heard. */
  readonly thresholdDb?: number;
}

/** The quietest that the bar shows. */
const FLOOR_DB = -75;

function share(db: number): number {
  return Math.max(0, Math.min(1, (db - FLOOR_DB) / -FLOOR_DB));
}

/** How loud a microphone is, moving with the voice. */
export function LevelBar({ label, levelDb, thresholdDb }: LevelBarProps) {
  const words = voiceSettingsWords.value;
  const db = Math.round(levelDb.value);
  return (
    <div
      class="level"
      role="meter"
      aria-label={label}
      aria-valuemin={SILENT_DB}
      aria-valuemax={0}
      aria-valuenow={db}
      aria-valuetext={words.decibels({ level: db })}
    >
      <span
        class="level-fill"
        data-over={thresholdDb === undefined || db >= thresholdDb}
        style={{ transform: `scaleX(${share(db)})` }}
      />
      {thresholdDb !== undefined && <span class="level-mark" style={{ left: `${share(thresholdDb) * 100}%` }} />}
    </div>
  );
}
