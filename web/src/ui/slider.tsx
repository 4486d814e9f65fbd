import { useId } from "preact/hooks";
import "./field.css";
import "./slider.css";

interface SliderProps {
  readonly label: string;
  /** The label is said but not shown. */
  readonly bare?: boolean;
  readonly hint?: string | undefined;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly value: number;
  /** The value as people read it. */
  readonly text: string;
  readonly disabled?: boolean;
  readonly onValue: (value: number) => void;
}

/** A value between two others. */
export function Slider({ label, bare = false, hint, min, max, step = 1, value, text, disabled, onValue }: SliderProps) {
  const id = useId();
  return (
    <div class="field">
      <label class={bare ? "aside-text" : "field-label"} for={id}>
        {label}
      </label>
      <div class="range">
        <input
          id={id}
          type="range"
          min={min}
          max={max}
          step={step}
          value={value}
          disabled={disabled === true}
          aria-valuetext={text}
          {...(hint === undefined ? {} : { "aria-describedby": `${id}-about` })}
          onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
        />
        <output for={id}>{text}</output>
      </div>
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-about`}>
          {hint}
        </p>
      )}
    </div>
  );
}
