import { NftSocket } from "./nft-socket.ts";

/** Whether a table is in the network namespace that the calling thread is in. @param name with its family, as `ip flotilla`. */
export function hasTable(name: string): boolean {
  const socket = new NftSocket();
  try {
    return socket.hasTable(name);
  } finally {
    socket.close();
  }
}
