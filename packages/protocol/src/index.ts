export * from "./constants.ts";
export * from "./handshake.ts";
export * from "./heartbeat.ts";
export * from "./join-token.ts";
export * from "./keys.ts";
export * from "./link-socket.ts";
export * from "./overlay-state.ts";
export * from "./transcript.ts";
