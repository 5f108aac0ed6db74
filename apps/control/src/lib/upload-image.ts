// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import { sendUpload } from "./send-upload.ts";

export type UploadRequest = {
  host: string;
  file: File;
  /** Set: the file is a root file system that becomes `repo:tag` with these Dockerfile instructions. Absent: a `docker save` archive. */
  import?: { repo: string; tag: string; changes: readonly string[] };
};

export type UploadProgress = { sentBytes: number; totalBytes: number; status: string };

const progressSchema = z.object({
  status: z.optional(z.string()),
  stream: z.optional(z.string()),
  error: z.optional(z.string()),
  errorDetail: z.optional(z.partial(z.object({ message: z.string() }))),
});

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

/** Sends a tar file and tells how far it is, then what the engine says while it reads it. Resolves with the engine's last line. */
export async function uploadImage(
  request: UploadRequest,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<string> {
  const progress: UploadProgress = { sentBytes: 0, totalBytes: request.file.size, status: "" };
  let failure: string | null = null;
  await sendUpload({
    url: uploadUrl(request),
    body: request.file,
    signal,
    onSent: (sentBytes) => {
      progress.sentBytes = sentBytes;
      onProgress({ ...progress });
    },
    onLine: (value) => {
      const line = progressSchema.safeParse(value);
      if (!line.success) return;
      failure ??= line.data.errorDetail?.message ?? line.data.error ?? null;
      progress.status = (line.data.stream ?? line.data.status ?? progress.status).trim() || progress.status;
      onProgress({ ...progress });
    },
  });
  if (failure !== null) throw new Error(failure);
  return progress.status;
}
