import { CircleAlert, CircleCheck, Info, TriangleAlert, type IconNode } from "lucide";
import type { ComponentChildren } from "preact";
import { Icon } from "./icon.tsx";
import "./notice.css";

type NoticeKind = "info" | "danger" | "caution" | "positive";

const ICONS: Readonly<Record<NoticeKind, IconNode>> = {
  info: Info,
  danger: CircleAlert,
  caution: TriangleAlert,
  positive: CircleCheck,
};

interface NoticeProps {
  readonly kind?: NoticeKind;
  readonly children: ComponentChildren;
}

/** A sentence that stays in its place. Bad news is read out at once, other news when the reader pauses. */
export function Notice({ kind = "info", children }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} role={kind === "danger" ? "alert" : "status"}>
      <Icon node={ICONS[kind]} size={18} />
      <div>{children}</div>
    </div>
  );
}

interface EmptyProps {
  readonly icon: IconNode;
  readonly title: string;
  /** 1 when it is the whole view, so that the view has its heading. */
  readonly level?: 1 | 2;
  readonly children?: ComponentChildren;
}

/** An empty place, which invites to do something. */
export function Empty({ icon, title, level = 2, children }: EmptyProps) {
  return (
    <div class="empty">
      <span class="empty-picture">
        <Icon node={icon} size={28} />
      </span>
      {level === 1 ? <h1 tabIndex={-1}>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  );
}

interface SkeletonProps {
  /** CSS lengths. */
  readonly width: string;
  readonly height: string;
}

/** The place that something will take, while it loads. */
export function Skeleton({ width, height }: SkeletonProps) {
  return <span class="skeleton" style={{ display: "block", width, height }} aria-hidden="true" />;
}
