export * from "./filters.ts";
export * from "./stdcopy.ts";
export * from "./versions.ts";
