import type { TextareaHTMLAttributes } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

type Native = Omit<TextareaHTMLAttributes, "ref" | "value" | "onInput" | "class" | "rows">;

interface GrowingTextProps extends Native {
  readonly value: string;
  /** It takes the focus when its view is shown. */
  readonly first?: boolean;
  readonly onText: (text: string) => void;
  /** Given the element once it is there. */
  readonly onElement?: (element: HTMLTextAreaElement) => void;
}

/** A text field as high as its text; the style sheet says where it begins to scroll instead. */
export function GrowingText({ value, first = false, onText, onElement, ...native }: GrowingTextProps) {
  const ref = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    // Where the browser sizes the field by itself (`field-sizing`), there is nothing to do and no layout to force.
    if (CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [value]);
  useLayoutEffect(() => {
    if (ref.current !== null) onElement?.(ref.current);
  }, []);
  return (
    <textarea
      {...native}
      ref={ref}
      class="growing-text"
      rows={1}
      value={value}
      {...(first ? { "data-autofocus": true } : {})}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}

/** A key press that sends: Enter alone, not while an input method composes. On touch keyboards Enter is a new line. */
export function isSendKey(event: KeyboardEvent): boolean {
  const touch = matchMedia("(hover: none) and (pointer: coarse)").matches;
  return event.key === "Enter" && !event.shiftKey && !event.altKey && !event.isComposing && (!touch || event.ctrlKey);
}
