"use client";

import { DropdownMenu as Primitive } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

export type MenuProps = { trigger: ReactNode; children: ReactNode; align?: "start" | "end"; label?: string };

export function Menu({ trigger, children, align = "end", label }: MenuProps): ReactNode {
  return (
    <Primitive.Root modal={false}>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          className="anim-pop z-50 max-h-[min(24rem,var(--radix-dropdown-menu-content-available-height))] min-w-44 overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 shadow-[0_8px_28px_rgb(0_0_0/0.16)]"
        >
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

const item =
  "flex h-8 cursor-pointer select-none items-center gap-2 rounded-sm px-2 text-sm outline-none data-[highlighted]:bg-hover data-[disabled]:pointer-events-none data-[disabled]:opacity-50 [&_svg]:size-4 [&_svg]:text-muted";

export function MenuItem({
  className,
  isDanger = false,
  ...props
}: ComponentProps<typeof Primitive.Item> & { isDanger?: boolean }): ReactNode {
  return <Primitive.Item className={cn(item, isDanger && "text-bad [&_svg]:text-bad", className)} {...props} />;
}

export function MenuCheckItem({ className, children, ...props }: ComponentProps<typeof Primitive.CheckboxItem>): ReactNode {
  return (
    <Primitive.CheckboxItem className={cn(item, "pl-7", className)} onSelect={(event) => event.preventDefault()} {...props}>
      <Primitive.ItemIndicator className="absolute left-3">✓</Primitive.ItemIndicator>
      {children}
    </Primitive.CheckboxItem>
  );
}

export function MenuSeparator(): ReactNode {
  return <Primitive.Separator className="-mx-1 my-1 h-px bg-line" />;
}

export function MenuLabel({ children }: { children: ReactNode }): ReactNode {
  return <Primitive.Label className="px-2 py-1.5 text-xs text-muted">{children}</Primitive.Label>;
}
