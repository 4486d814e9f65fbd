const MARGIN_PX = 8;
const GAP_PX = 4;

/** Puts a fixed element under a box, or above when there is no room; in the right half of the screen it ends where the box ends. */
export function placeBy(element: HTMLElement, box: DOMRect): void {
  const { width, height } = element.getBoundingClientRect();
  const fitsBelow = box.bottom + height + MARGIN_PX < innerHeight;
  const top = fitsBelow ? box.bottom + GAP_PX : box.top - height - GAP_PX;
  const left = (box.left + box.right) / 2 < innerWidth / 2 ? box.left : box.right - width;
  element.style.top = `${Math.max(MARGIN_PX, Math.min(top, innerHeight - height - MARGIN_PX))}px`;
  element.style.left = `${Math.max(MARGIN_PX, Math.min(left, innerWidth - width - MARGIN_PX))}px`;
}
