"use client";

import NextLink from "next/link";
import { type ComponentProps, type ReactNode, useState } from "react";

export type LinkProps = Omit<ComponentProps<typeof NextLink>, "prefetch">;

/**
 * A link to a page, which is fetched ahead when somebody points at it or reaches it with the keyboard. Next's own would fetch each link
 * that comes into sight: a list of 5,000 rows would ask for hundreds of pages while it is scrolled.
 */
export function Link({ onPointerEnter, onFocus, ...props }: LinkProps): ReactNode {
  const [isNear, setNear] = useState(false);
  return (
    <NextLink
      {...props}
      prefetch={isNear ? null : false}
      onPointerEnter={(event) => {
        setNear(true);
        onPointerEnter?.(event);
      }}
      onFocus={(event) => {
        setNear(true);
        onFocus?.(event);
      }}
    />
  );
}
