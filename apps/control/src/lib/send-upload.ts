// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import { createNdjsonReader } from "./ndjson.ts";

export type UploadSend = {
  url: string;
  body: Blob;
  headers?: Readonly<Record<string, string>>;
  onSent: (sentBytes: number) => void;
  /** Each document that the engine answers, as it comes. */
  onLine: (line: unknown) => void;
  signal: AbortSignal;
};

const failureSchema = z.object({ message: z.string() });

/**
 * Sends a body and reads the newline-delimited answer while it arrives. Rejects when the server refuses, with its words.
 * XMLHttpRequest and not fetch: only it tells the progress of sending.
 */
export function sendUpload({ url, body, headers = {}, onSent, onLine, signal }: UploadSend): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const reader = createNdjsonReader();
    let seen = 0;
    const readMore = (): void => {
      const text = call.responseText.slice(seen);
      seen = call.responseText.length;
      for (const line of reader.push(text)) onLine(line);
    };
    call.open("POST", url);
    for (const [name, value] of Object.entries({ "X-Flotilla-Request": "1", "Content-Type": "application/x-tar", ...headers }))
      call.setRequestHeader(name, value);
    call.upload.addEventListener("progress", (event) => onSent(event.loaded));
    call.addEventListener("progress", () => {
      if (call.status < 400) readMore();
    });
    call.addEventListener("load", () => {
      if (call.status >= 400) return reject(new Error(failureOf(call.responseText, call.status)));
      readMore();
      for (const line of reader.end()) onLine(line);
      return resolve();
    });
    call.addEventListener("error", () => reject(new Error("the connection was lost")));
    call.addEventListener("abort", () => reject(new DOMException("the upload was cancelled", "AbortError")));
    signal.addEventListener("abort", () => call.abort(), { once: true });
    call.send(body);
  });
}

function failureOf(text: string, status: number): string {
  try {
    return failureSchema.parse(JSON.parse(text)).message;
  } catch {
    return `the server answered ${status}`;
  }
}
