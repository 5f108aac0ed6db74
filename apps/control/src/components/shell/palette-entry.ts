import type { PaletteItem } from "@/lib/palette.ts";

/** Something that the palette finds, and where it goes or what it does. */
export type PaletteEntry = PaletteItem & { group: "pages" | "stacks" | "actions" | "hosts" | "containers" | "objects" } & (
    | { href: string }
    | { run: () => void }
  );
