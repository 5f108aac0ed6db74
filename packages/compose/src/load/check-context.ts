import type { Issues, SourcePosition } from "../issue.ts";
import type { Node } from "../tree.ts";
import type { Message } from "../message.ts";

/** What checks of a whole project need, and how they tell of a mistake at the place where it is written. */
export class CheckContext {
  readonly issues: Issues;
  /** Services named on the command line. */
  readonly requested: readonly string[];
  readonly isOneHost: boolean;
  readonly #tree: Node;

  constructor({ tree, issues, requested, isOneHost }: { tree: Node; issues: Issues; requested: readonly string[]; isOneHost: boolean }) {
    this.#tree = tree;
    this.issues = issues;
    this.requested = requested;
    this.isOneHost = isOneHost;
  }

  report(path: string, said: Message, suggestion?: string): void {
    this.issues.error(path, said, { position: this.positionOf(path), ...(suggestion === undefined ? {} : { suggestion }) });
  }

  /** The key itself, or the nearest one above it that is written somewhere. */
  positionOf(path: string): SourcePosition | undefined {
    return positionIn(this.#tree, path);
  }
}

/** Where the key of a path is written, or the nearest one above it. */
export function positionIn(tree: Node, path: string): SourcePosition | undefined {
  let node: Node | undefined = tree;
  let position: SourcePosition | undefined;
  for (const key of path.split(".")) {
    const entry: { keyAt: SourcePosition; value: Node } | undefined = node?.kind === "map" ? node.entries.get(key) : undefined;
    const item: Node | undefined = entry?.value ?? (node?.kind === "list" ? node.items[Number(key)] : undefined);
    if (item === undefined) return position;
    position = entry?.keyAt ?? item.at;
    node = item;
  }
  return position;
}
