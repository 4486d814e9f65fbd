import type { IconNode } from "lucide";
import { h } from "preact";

interface IconProps {
  /** A drawing of the lucide library, imported by its name so that only what is used is shipped. */
  readonly node: IconNode;
  /** Side in CSS pixels. */
  readonly size?: number;
}

/** A decoration: whoever uses it says in words what it means. */
export function Icon({ node, size = 20 }: IconProps) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {node.map(([tag, attributes]) => h(tag, { ...attributes, key: JSON.stringify(attributes) }))}
    </svg>
  );
}
