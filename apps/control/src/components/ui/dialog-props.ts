import type { ReactNode } from "react";

export type DialogProps = {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  /** `center`: a box in the middle. `side`: a drawer from the right that leaves the page in sight. */
  placement?: "center" | "side";
  className?: string;
};
