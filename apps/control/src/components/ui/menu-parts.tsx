"use client";

import { DropdownMenu as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import type { MenuCheckItemProps, MenuItemProps, MenuParts, MenuRootProps } from "@/components/ui/menu-props.ts";
import { cn } from "@/lib/cn.ts";

// What Menu of menu.tsx loads when somebody reaches for the first menu of a page.

/** Hangs on an empty box over the menu's own button: the button is never drawn anew, so it keeps focus and click. */
function MenuRoot({ children, align = "end", label, isOpen, onOpenChange, onClosed }: MenuRootProps): ReactNode {
  return (
    <Primitive.Root modal={false} open={isOpen} onOpenChange={onOpenChange}>
      <Primitive.Trigger asChild>
        <span aria-hidden tabIndex={-1} className="pointer-events-none absolute inset-0" />
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            onClosed();
          }}
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

function MenuRootItem({ isDanger = false, ...props }: MenuItemProps): ReactNode {
  return <Primitive.Item className={cn(item, isDanger && "text-bad [&_svg]:text-bad")} {...props} />;
}

function MenuRootCheckItem({ children, ...props }: MenuCheckItemProps): ReactNode {
  return (
    <Primitive.CheckboxItem className={cn(item, "relative pl-7")} onSelect={(event) => event.preventDefault()} {...props}>
      <Primitive.ItemIndicator className="absolute left-2">✓</Primitive.ItemIndicator>
      {children}
    </Primitive.CheckboxItem>
  );
}

export const MENU_PARTS: MenuParts = { Root: MenuRoot, Item: MenuRootItem, CheckItem: MenuRootCheckItem };
