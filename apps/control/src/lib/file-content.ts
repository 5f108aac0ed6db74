/** What a secret or config may hold at most, as the server has it. */
export const MAX_FILE_BYTES = 500 * 1_024;

/** Bytes as base64, for contents that may be anything. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export const FILE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/;

export type FileForm = { name: string; text: string; bytes: Uint8Array | null };

/** What is wrong with a form for a secret or config. A file that was chosen counts before what was typed. */
export function checkFileForm({ name, text, bytes }: FileForm, taken: readonly string[]): "name" | "taken" | "empty" | "large" | null {
  if (!FILE_NAME.test(name)) return "name";
  if (taken.includes(name)) return "taken";
  const size = bytes?.length ?? new TextEncoder().encode(text).length;
  if (size === 0) return "empty";
  return size > MAX_FILE_BYTES ? "large" : null;
}

export function formContent({ text, bytes }: FileForm): string {
  return toBase64(bytes ?? new TextEncoder().encode(text));
}
