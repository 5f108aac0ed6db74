import { z } from "zod";
import { createNdjsonReader } from "./ndjson.ts";

export type UploadRequest = {
  host: string;
  file: File;
  /** Set: the file is a root file system that becomes `repo:tag` with these Dockerfile instructions. Absent: a `docker save` archive. */
  import?: { repo: string; tag: string; changes: readonly string[] };
};

export type UploadProgress = { sentBytes: number; totalBytes: number; status: string };

const progressSchema = z.object({
  status: z.string().optional(),
  stream: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string() }).partial().optional(),
});
const failureSchema = z.object({ message: z.string() });

/** The address of an upload: where to, and what becomes of the file. */
export function uploadUrl({ host, import: root }: Pick<UploadRequest, "host" | "import">): string {
  const params = new URLSearchParams({ host });
  if (root !== undefined) {
    params.set("repo", root.repo);
    params.set("tag", root.tag);
    for (const change of root.changes) params.append("change", change);
  }
  return `/api/upload/image?${params.toString()}`;
}

/**
 * Sends a tar file and tells how far it is, then what the engine says while it reads it. Resolves with the engine's last line.
 * XMLHttpRequest and not fetch: only it tells the progress of sending.
 */
export function uploadImage(request: UploadRequest, onProgress: (progress: UploadProgress) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const reader = createNdjsonReader();
    const progress: UploadProgress = { sentBytes: 0, totalBytes: request.file.size, status: "" };
    let seen = 0;
    let failure: string | null = null;
    const take = (values: unknown[]): void => {
      for (const value of values) {
        const line = progressSchema.safeParse(value);
        if (!line.success) continue;
        failure ??= line.data.errorDetail?.message ?? line.data.error ?? null;
        progress.status = (line.data.stream ?? line.data.status ?? progress.status).trim() || progress.status;
      }
      onProgress({ ...progress });
    };
    const readMore = (): unknown[] => {
      const text = call.responseText.slice(seen);
      seen = call.responseText.length;
      return reader.push(text);
    };
    call.open("POST", uploadUrl(request));
    call.setRequestHeader("X-Flotilla-Request", "1");
    call.setRequestHeader("Content-Type", "application/x-tar");
    call.upload.addEventListener("progress", (event) => {
      progress.sentBytes = event.loaded;
      onProgress({ ...progress });
    });
    call.addEventListener("progress", () => {
      if (call.status < 400) take(readMore());
    });
    call.addEventListener("load", () => {
      if (call.status >= 400) return reject(new Error(failureOf(call.responseText, call.status)));
      take([...readMore(), ...reader.end()]);
      return failure === null ? resolve(progress.status) : reject(new Error(failure));
    });
    call.addEventListener("error", () => reject(new Error("the connection was lost")));
    call.addEventListener("abort", () => reject(new DOMException("the upload was cancelled", "AbortError")));
    signal.addEventListener("abort", () => call.abort(), { once: true });
    call.send(request.file);
  });
}

function failureOf(text: string, status: number): string {
  try {
    return failureSchema.parse(JSON.parse(text)).message;
  } catch {
    return `the server answered ${status}`;
  }
}
