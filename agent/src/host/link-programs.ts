// Programs with tables of their own, attached to links: the door to bpf(2) for who plans them.
import { release } from "node:os";
import { assemble, type Instruction } from "./bpf-assembler.ts";
import { closeDescriptor, createMap, deleteFromMap, idOf, loadProgram, openMap, openProgram, updateMap, type MapShape } from "./bpf.ts";

export type TableShape = MapShape;
/** A program and its tables in the kernel, which has them for as long as the program is attached to a link. */
export type LinkProgram = { programId: number; tables: readonly { mapId: number; shape: TableShape }[] };
/** Keys and values as text of one character for each byte. */
export type TableEntries = ReadonlyMap<string, string>;
/** Of one table. What goes from an array becomes zeros. */
export type TableChanges = { gone: Iterable<string>; come: TableEntries };

export type TableContent = { shape: TableShape; entries: TableEntries };

export type LinkPrograms = {
  /**
   * Loads a program with its tables and calls `attach`, before whose end nothing keeps them.
   * @throws FlotillaError `internal` with `details.errno` where the kernel will not.
   */
  load(program: (maps: readonly number[]) => Instruction[], tables: readonly TableContent[], attach: (program: number) => void): LinkProgram; // prettier-ignore
  /** @param changes of each table. */
  change(program: LinkProgram, changes: readonly TableChanges[]): void;
  /** A descriptor of the program, for as long as `work` takes. */
  use(program: LinkProgram, work: (program: number) => void): void;
  /** Whether a packet can be put into the namespace at the other end of a veth, and is counted there: since Linux 6.8. */
  canReachPeer: boolean;
};

export const linkPrograms: LinkPrograms = {
  load: (program, tables, attach) =>
    withDescriptors(
      tables.map(
        ({ shape }) =>
          () =>
            createMap(shape),
      ),
      (maps) => {
        for (const [index, { entries }] of tables.entries()) put(maps[index] ?? -1, entries);
        return withDescriptor(loadProgram(assemble(program(maps))), (loaded) => {
          attach(loaded);
          return {
            programId: idOf(loaded),
            tables: tables.map(({ shape }, index) => ({ mapId: idOf(maps[index] ?? -1), shape })),
          };
        });
      },
    ),
  change: ({ tables }, changes) => {
    for (const [index, { mapId, shape }] of tables.entries()) {
      const { gone, come } = changes[index] ?? { gone: [], come: new Map<string, string>() };
      const keys = [...gone];
      if (keys.length + come.size === 0) continue;
      withDescriptor(openMap(mapId), (map) => {
        if (shape.kind === "array") put(map, new Map(keys.map((key) => [key, "\0".repeat(shape.valueBytes)])));
        else for (const key of keys) deleteFromMap(map, Buffer.from(key, "latin1"));
        put(map, come);
      });
    }
  },
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

/** Opens one after the other; closes those that are open, also when one cannot be opened. */
function withDescriptors<T>(
  open: readonly (() => number)[],
  work: (descriptors: readonly number[]) => T,
  opened: readonly number[] = [],
): T {
  const [next, ...rest] = open;
  if (next === undefined) return work(opened);
  return withDescriptor(next(), (descriptor) => withDescriptors(rest, work, [...opened, descriptor]));
}

/** @param text of a kernel's release: `6.18.44-cloud-amd64`. */
export function isAtLeast(text: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = text.split(".").map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
