"use client";

import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import type { DialogProps } from "@/components/ui/dialog-props.ts";

const Box = dynamic(() => import("@/components/ui/dialog-box.tsx").then((found) => found.DialogBox), { ssr: false });

/** A dialog. What draws it comes with the first one that opens; it then stays, so that it closes with its own motion. */
export function Dialog(props: DialogProps): ReactNode {
  const [isWanted, setWanted] = useState(props.isOpen);
  if (props.isOpen && !isWanted) setWanted(true);
  return isWanted ? <Box {...props} /> : null;
}

export function DialogActions({ children }: { children: ReactNode }): ReactNode {
  return <div className="mt-4 flex flex-wrap items-center justify-end gap-2">{children}</div>;
}
