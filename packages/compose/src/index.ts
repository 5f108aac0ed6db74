export { type KeySupport, listSupport } from "./decode/support.ts";
export { dependencyOrder, findCycle, withDependencies } from "./dependency-order.ts";
export { formatProject } from "./format-project.ts";
export { type ComposeIssue, composeError, formatIssue, type SourcePosition } from "./issue.ts";
export { loadProject } from "./load/load-project.ts";
export type { FileReader, LoadedProject, LoadRequest } from "./load/request.ts";
export * from "./model.ts";
export { escapeDollars, toYaml } from "./to-yaml.ts";
