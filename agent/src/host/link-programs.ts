// Programs with a table of their own, attached to links: the door to bpf(2) for who plans them.
import { release } from "node:os";
import { assemble, type Instruction } from "./bpf-assembler.ts";
import { closeDescriptor, createMap, deleteFromMap, idOf, loadProgram, openMap, openProgram, updateMap, type MapShape } from "./bpf.ts";

/** A program and its table in the kernel, which has them for as long as the program is attached to a link. */
export type LinkProgram = { programId: number; mapId: number };
/** Keys and values as text of one character for each byte. */
export type TableEntries = ReadonlyMap<string, string>;

export type LinkPrograms = {
  /**
   * Loads a program with its table and calls `attach`, before whose end nothing keeps them.
   * @throws FlotillaError `internal` with `details.errno` where the kernel will not.
   */
  load(program: (map: number) => Instruction[], table: { shape: MapShape; entries: TableEntries }, attach: (program: number) => void): LinkProgram; // prettier-ignore
  change(program: LinkProgram, changes: { gone: Iterable<string>; come: TableEntries }): void;
  /** A descriptor of the program, for as long as `work` takes. */
  use(program: LinkProgram, work: (program: number) => void): void;
  /** Whether a packet can be put into the namespace at the other end of a veth, and is counted there: since Linux 6.8. */
  canReachPeer: boolean;
};

export const linkPrograms: LinkPrograms = {
  load: (program, { shape, entries }, attach) =>
    withDescriptor(createMap(shape), (map) => {
      put(map, entries);
      return withDescriptor(loadProgram(assemble(program(map))), (loaded) => {
        attach(loaded);
        return { programId: idOf(loaded), mapId: idOf(map) };
      });
    }),
  change: ({ mapId }, { gone, come }) =>
    withDescriptor(openMap(mapId), (map) => {
      for (const key of gone) deleteFromMap(map, Buffer.from(key, "latin1"));
      put(map, come);
    }),
  use: ({ programId }, work) => withDescriptor(openProgram(programId), work),
  canReachPeer: isAtLeast(release(), [6, 8]),
};

function put(map: number, entries: TableEntries): void {
  const keys = Buffer.from([...entries.keys()].join(""), "latin1");
  const values = Buffer.from([...entries.values()].join(""), "latin1");
  updateMap(map, { count: entries.size, keys, values });
}

function withDescriptor<T>(descriptor: number, work: (descriptor: number) => T): T {
  try {
    return work(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** @param text of a kernel's release: `6.18.44-cloud-amd64`. */
export function isAtLeast(text: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = text.split(".").map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
