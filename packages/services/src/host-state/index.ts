export * from "./compose-host-state.ts";
export * from "./composers.ts";
export * from "./composition-queue.ts";
export * from "./notify-host-state.ts";
export * from "./read-host-state.ts";
export * from "./report-host-state.ts";
