import type { ReactNode } from "react";
import { Command } from "@/components/ui/copy-button.tsx";
import { PartialNotice } from "@/components/ui/states.tsx";

export type ShownOnceProps = {
  /** What to do with it now. */
  note: ReactNode;
  secret: string;
  /** Lines that use it, ready to be run. */
  uses?: readonly { label: ReactNode; text: string }[];
};

/** A secret that is told now and never again, with lines that use it. */
export function ShownOnce({ note, secret, uses = [] }: ShownOnceProps): ReactNode {
  return (
    <div className="space-y-3">
      <PartialNotice>{note}</PartialNotice>
      <Command text={secret} isWrapped />
      {uses.map(({ label, text }, index) => (
        <div key={index} className="space-y-1.5">
          <p className="text-xs text-muted">{label}</p>
          <Command text={text} isWrapped />
        </div>
      ))}
    </div>
  );
}
