import { createPortal } from "preact/compat";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What TypeScript's libraries do not have yet: a small window that stays in front (Chromium). */
interface PictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>;
}

const SIZE = { width: 480, height: 320 } as const;

/** Opens a window of our own; undefined when the browser forbids it. Only in answer to a press. */
export async function openPopOut(): Promise<Window | undefined> {
  const { documentPictureInPicture: inFront } = globalThis as { documentPictureInPicture?: PictureInPicture };
  const opened =
    inFront === undefined
      ? window.open("", "", `popup,width=${SIZE.width},height=${SIZE.height}`)
      : await inFront.requestWindow(SIZE).catch(() => null);
  if (opened === null) return undefined;
  const { document: page } = opened;
  page.documentElement.lang = document.documentElement.lang;
  Object.assign(page.documentElement.dataset, document.documentElement.dataset);
  for (const sheet of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')) {
    const copy = page.createElement("link");
    copy.rel = "stylesheet";
    copy.href = sheet.href;
    page.head.append(copy);
  }
  return opened;
}

interface PopOutProps {
  readonly target: Window;
  readonly title: string;
  readonly onClosed: () => void;
  readonly children: ComponentChildren;
}

/** Draws into another window; it closes with the component, and the component is told when it was closed. */
export function PopOut({ target, title, onClosed, children }: PopOutProps) {
  const [body] = useState(() => {
    const element = target.document.createElement("main");
    element.className = "pop-out";
    return element;
  });
  useEffect(() => {
    target.document.title = title;
    target.document.body.append(body);
    target.addEventListener("pagehide", onClosed);
    return () => {
      target.removeEventListener("pagehide", onClosed);
      target.close();
    };
  }, [target]);
  return createPortal(<>{children}</>, body);
}
