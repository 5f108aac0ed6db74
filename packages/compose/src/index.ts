export * from "./model.ts";
export type * from "./issue.ts";
