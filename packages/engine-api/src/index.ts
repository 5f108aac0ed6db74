export * from "./filters.ts";
export * from "./stdcopy.ts";
export * from "./versions.ts";
export * from "./host-config.ts";
export * from "./containers.ts";
export * from "./exec.ts";
