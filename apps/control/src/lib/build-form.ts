import { type ContextFile, toEntries } from "./build-context.ts";
import type { BuildRequest } from "./build-image.ts";
import { isImageReference } from "./image-row.ts";
import { makeTar } from "./tar.ts";

export const BUILD_SOURCES = ["folder", "archive", "text"] as const;

export type BuildForm = {
  source: (typeof BUILD_SOURCES)[number];
  files: readonly ContextFile[];
  archive: File | null;
  text: string;
  host: string;
  /** Names apart from each other by spaces or commas. */
  tags: string;
  dockerfile: string;
  target: string;
  args: readonly { id: string; name: string; value: string }[];
  noCache: boolean;
  pull: boolean;
};

export const EMPTY_BUILD: BuildForm = {
  source: "folder",
  files: [],
  archive: null,
  text: "",
  host: "",
  tags: "",
  dockerfile: "",
  target: "",
  args: [],
  noCache: false,
  pull: false,
};

export type BuildProblem = {
  field: "context" | "tags" | "target" | "args";
  code: "noFiles" | "noDockerfile" | "noArchive" | "noText" | "tag" | "target" | "arg";
};

/** What keeps a form from being sent, the first of it; null when nothing does. */
export function buildProblem(form: BuildForm): BuildProblem | null {
  return contextProblem(form) ?? namesProblem(form);
}

function contextProblem(form: BuildForm): BuildProblem | null {
  const field = "context";
  if (form.source === "archive") return form.archive === null ? { field, code: "noArchive" } : null;
  if (form.source === "text") return form.text.trim() === "" ? { field, code: "noText" } : null;
  if (form.files.length === 0) return { field, code: "noFiles" };
  const wanted = (form.dockerfile.trim() || "Dockerfile").replace(/^\.\//, "");
  return form.files.some(({ path }) => path === wanted) ? null : { field, code: "noDockerfile" };
}

function namesProblem(form: BuildForm): BuildProblem | null {
  if (tagsOf(form.tags).some((tag) => !isImageReference(tag))) return { field: "tags", code: "tag" };
  if (form.target !== "" && !/^[\w.-]+$/.test(form.target)) return { field: "target", code: "target" };
  if (form.args.some(({ name }) => !/^[A-Za-z_]\w*$/.test(name))) return { field: "args", code: "arg" };
  return null;
}

function tagsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((tag) => tag !== "");
}

/** The request of a form without problems. Files are read only while they are sent. */
export function toBuildRequest(form: BuildForm): BuildRequest {
  return {
    host: form.host,
    context: contextOf(form),
    dockerfile: form.source === "text" ? "" : form.dockerfile.trim().replace(/^\.\//, ""),
    tags: tagsOf(form.tags),
    args: form.args.map(({ name, value }) => ({ name, value })),
    target: form.target,
    noCache: form.noCache,
    pull: form.pull,
  };
}

function contextOf({ source, files, archive, text }: BuildForm): Blob {
  if (source === "archive") return archive ?? makeTar([]);
  if (source === "text") return makeTar([{ path: "Dockerfile", content: new Blob([text]) }]);
  return makeTar(toEntries(files));
}
