export * from "./containers.ts";
export * from "./exec.ts";
export * from "./filters.ts";
export * from "./host-config.ts";
export * from "./shield-body.ts";
export * from "./stdcopy.ts";
export * from "./versions.ts";
