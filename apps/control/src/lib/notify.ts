export type NoticeKind = "success" | "warning" | "error";
export type NoticeOptions = { description?: string | undefined; duration?: number };
export type Notice = { kind: NoticeKind; title: string; options: NoticeOptions };

/** Notices that wait for their place on the page: its library comes with the first of them, not with the first page. */
const waiting: Notice[] = [];
let show: ((notice: Notice) => void) | null = null;
let summon: (() => void) | null = null;

/** Shows a short notice in the corner. */
export function notify(kind: NoticeKind, title: string, options: NoticeOptions = {}): void {
  const notice = { kind, title, options };
  if (show !== null) show(notice);
  else {
    waiting.push(notice);
    summon?.();
  }
}

/** Tells who brings the place of notices onto the page; called at once when some wait already. Returns what takes it back. */
export function onFirstNotice(bring: () => void): () => void {
  summon = bring;
  if (waiting.length > 0) bring();
  return () => {
    if (summon === bring) summon = null;
  };
}

/** The place is there: it gets what waited, then each notice as it comes. Returns what ends it. */
export function takeNotices(take: (notice: Notice) => void): () => void {
  show = take;
  for (const notice of waiting.splice(0)) take(notice);
  return () => {
    if (show === take) show = null;
  };
}
