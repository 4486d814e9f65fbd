import { Eye, EyeOff } from "lucide";
import type { ComponentChildren, InputHTMLAttributes, Ref } from "preact";
import { useId, useState } from "preact/hooks";
import { IconButton } from "./button.tsx";
import "./field.css";

interface Frame {
  readonly label: string;
  /** What helps before one errs. */
  readonly hint?: string | undefined;
  /** What is wrong, and what to do; read out when it appears. */
  readonly error?: string | undefined;
  /** Word shown after the label of a field that may stay empty. */
  readonly optional?: string | undefined;
}

interface FrameProps extends Frame {
  readonly id: string;
  readonly children: ComponentChildren;
}

function FieldFrame({ id, label, hint, error, optional, children }: FrameProps) {
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
        {optional !== undefined && <span class="field-optional"> · {optional}</span>}
      </label>
      <div class="field-box">{children}</div>
      {error !== undefined ? (
        <p class="field-error" id={`${id}-about`} role="alert">
          {error}
        </p>
      ) : (
        hint !== undefined && (
          <p class="field-hint" id={`${id}-about`}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

function describing(id: string, { hint, error }: Frame) {
  return {
    "aria-invalid": error !== undefined,
    ...(hint === undefined && error === undefined ? {} : { "aria-describedby": `${id}-about` }),
  };
}

interface NativeInput {
  readonly name?: string;
  readonly autocomplete?: string;
  readonly autocapitalize?: "none" | "words" | "sentences";
  readonly inputMode?: "text" | "numeric" | "email" | "url";
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly readOnly?: boolean;
  readonly spellcheck?: boolean;
  /** Takes the focus when the dialog around it opens. */
  readonly autofocus?: boolean;
  /** Takes the focus when the view opens. */
  readonly "data-autofocus"?: boolean;
}

interface TextFieldProps extends Frame, NativeInput {
  readonly type?: "text" | "email" | "password" | "search";
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly inputRef?: Ref<HTMLInputElement>;
  /** Stands at the end of the box. */
  readonly after?: ComponentChildren;
}

/** One line of text with its label, hint and error. */
export function TextField({
  label,
  hint,
  error,
  optional,
  value,
  onValue,
  inputRef,
  after,
  type = "text",
  ...native
}: TextFieldProps) {
  const id = useId();
  // The types tell inputs apart by `type`; these four take the same attributes.
  const attributes = { ...native, type } as InputHTMLAttributes;
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error} optional={optional}>
      <input
        {...attributes}
        {...describing(id, { label, hint, error })}
        {...(inputRef === undefined ? {} : { ref: inputRef })}
        id={id}
        class="field-input"
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {after}
    </FieldFrame>
  );
}

interface PasswordFieldProps extends Omit<TextFieldProps, "type" | "after"> {
  readonly showLabel: string;
  readonly hideLabel: string;
}

/** A password that can be looked at. */
export function PasswordField({ showLabel, hideLabel, ...field }: PasswordFieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      {...field}
      type={shown ? "text" : "password"}
      spellcheck={false}
      autocapitalize="none"
      after={
        <IconButton
          icon={shown ? EyeOff : Eye}
          label={shown ? hideLabel : showLabel}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        />
      }
    />
  );
}

interface TextAreaProps extends Frame {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly maxLength?: number;
  readonly rows?: number;
  readonly disabled?: boolean;
}

/** Several lines of text. */
export function TextArea({ label, hint, error, optional, value, onValue, ...native }: TextAreaProps) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error} optional={optional}>
      <textarea
        {...native}
        {...describing(id, { label, hint, error })}
        id={id}
        class="field-input"
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </FieldFrame>
  );
}

interface SelectFieldProps<Value extends string> extends Frame {
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly onValue: (value: Value) => void;
  readonly disabled?: boolean;
}

/** One of several, by the platform's own list. */
export function SelectField<Value extends string>({
  label,
  hint,
  error,
  optional,
  value,
  options,
  onValue,
  disabled = false,
}: SelectFieldProps<Value>) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error} optional={optional}>
      <select
        {...describing(id, { label, hint, error })}
        id={id}
        class="field-input"
        value={value}
        disabled={disabled}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.currentTarget.value);
          if (chosen !== undefined) onValue(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </FieldFrame>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChecked: (checked: boolean) => void;
}

/** On or off, with a plain description. */
export function Switch({ label, hint, checked, disabled = false, onChecked }: SwitchProps) {
  const id = useId();
  return (
    <label class="switch-row" for={id}>
      <span class="switch-text">
        <span id={`${id}-label`}>{label}</span>
        {hint !== undefined && (
          <span class="field-hint" id={`${id}-about`}>
            {hint}
          </span>
        )}
      </span>
      <input
        id={id}
        class="switch"
        type="checkbox"
        role="switch"
        aria-labelledby={`${id}-label`}
        {...(hint === undefined ? {} : { "aria-describedby": `${id}-about` })}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
    </label>
  );
}

interface ChoicesProps<Value extends string> {
  readonly legend: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
  readonly onValue: (value: Value) => void;
  readonly disabled?: boolean;
}

/** One of a few, all in view. */
export function Choices<Value extends string>({
  legend,
  value,
  options,
  onValue,
  disabled = false,
}: ChoicesProps<Value>) {
  const name = useId();
  return (
    <fieldset class="choices" disabled={disabled}>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label class="choice" key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onValue(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
