/** Whether a key press belongs to the element it happened in (a field, a terminal, an open menu or dialog) and is no shortcut. */
export function isTypingTarget(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target.closest("[role=dialog],[role=menu],[role=listbox],.xterm") !== null;
}
