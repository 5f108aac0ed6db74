export type NoticeKind = "success" | "warning" | "error";
export type NoticeOptions = { description?: string | undefined; duration?: number };

/** Shows a short notice in the corner. The library comes with the first notice, not with the first page. */
export function notify(kind: NoticeKind, title: string, options: NoticeOptions = {}): void {
  void import("sonner").then(({ toast }) => toast[kind](title, options));
}
