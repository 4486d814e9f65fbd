import { ArrowLeft, type IconNode } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { narrow } from "./narrow.ts";
import { navigateUp } from "./router.ts";
import "./settings-shell.css";
import { useTitle } from "./title.ts";
import { appWords } from "./words.ts";

/** One page of settings, with its address. */
export interface SettingsLink {
  readonly id: string;
  readonly label: string;
  readonly icon: IconNode;
  readonly path: string;
}

interface SettingsShellProps {
  /** What is being set. */
  readonly title: string;
  readonly links: readonly SettingsLink[];
  /** The page in view; null: the list, where there is room for one panel only. */
  readonly current: string | null;
  /** Address of the list of pages. */
  readonly listPath: string;
  /** Where one came from, and its name. */
  readonly up: { readonly path: string; readonly label: string };
  /** Stands at the foot of the list. */
  readonly foot?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Settings are a page with addresses: a list of pages beside the one in view, or before it on a small screen. */
export function SettingsShell({ title, links, current, listPath, up, foot, children }: SettingsShellProps) {
  const oneAtATime = narrow.value;
  const panel = current === null && oneAtATime ? "list" : "content";
  const page = links.find(({ id }) => id === current) ?? links[0];
  const Title = panel === "list" ? "h1" : "h2";
  useTitle(panel === "list" ? title : `${page?.label ?? ""} · ${title}`);

  useEffect(() => {
    const ending = new AbortController();
    addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
        if (document.querySelector(":popover-open:not(.hint-bubble)") === null) navigateUp(up.path);
      },
      { signal: ending.signal },
    );
    return () => ending.abort();
  }, [up.path]);

  return (
    <div class="settings" data-panel={panel}>
      <div class="settings-side" {...(panel === "list" ? { role: "main" as const } : {})}>
        <nav class="settings-nav" aria-label={title}>
          <button type="button" class="settings-back" onClick={() => navigateUp(up.path)}>
            <Icon node={ArrowLeft} size={18} />
            <span class="one-line">{up.label}</span>
          </button>
          <Title class="settings-title" tabIndex={-1}>
            {title}
          </Title>
          {links.map((link) => (
            <a
              key={link.id}
              class="settings-link"
              href={link.path}
              {...(oneAtATime ? {} : { "data-replace": "" })}
              {...(link.id === page?.id && panel === "content" ? { "aria-current": "page" as const } : {})}
            >
              <Icon node={link.icon} size={18} />
              <span class="one-line">{link.label}</span>
            </a>
          ))}
          {foot !== undefined && <div class="settings-foot">{foot}</div>}
        </nav>
      </div>
      <main class="settings-main" hidden={panel === "list"}>
        <div class="settings-content">
          <header>
            {oneAtATime && (
              <IconButton icon={ArrowLeft} label={appWords.value.back} onClick={() => navigateUp(listPath)} />
            )}
            <h1 tabIndex={-1}>{page?.label}</h1>
          </header>
          {children}
        </div>
      </main>
    </div>
  );
}
