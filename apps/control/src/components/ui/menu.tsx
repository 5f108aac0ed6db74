"use client";

import type { MenuCheckItemProps, MenuItemProps, MenuParts, MenuProps } from "@/components/ui/menu-props.ts";
import { cloneElement, createContext, type ReactNode, use, useRef, useState } from "react";

const PartsContext = createContext<MenuParts | null>(null);

/**
 * A button with a menu. What draws menus is loaded when somebody points at the button or reaches it with the keyboard, so that it is
 * mostly there with the click, and costs nothing on a page whose menus nobody opens.
 */
export function Menu({ trigger, isWide = false, ...props }: MenuProps): ReactNode {
  const [parts, setParts] = useState<MenuParts | null>(null);
  const [isOpen, setOpen] = useState(false);
  const wasOpen = useRef(false);
  const box = useRef<HTMLSpanElement>(null);
  const load = (): void => {
    if (parts === null) void import("@/components/ui/menu-parts.tsx").then(({ MENU_PARTS }) => setParts(MENU_PARTS));
  };
  const toggle = (): void => {
    load();
    // A press outside of an open menu closes it before the click arrives: then the click must not open it again.
    setOpen(!wasOpen.current);
    wasOpen.current = false;
  };
  return (
    <span ref={box} className={isWide ? "relative flex" : "relative inline-flex"}>
      {cloneElement(trigger, {
        "aria-haspopup": "menu",
        "aria-expanded": isOpen,
        onPointerEnter: load,
        onFocus: load,
        onPointerDown: () => (wasOpen.current = isOpen),
        onClick: toggle,
        onKeyDown: (event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          toggle();
        },
      })}
      {parts === null ? null : (
        <PartsContext value={parts}>
          <parts.Root {...props} isOpen={isOpen} onOpenChange={setOpen} onClosed={() => box.current?.querySelector("button")?.focus()} />
        </PartsContext>
      )}
    </span>
  );
}

export function MenuItem(props: MenuItemProps): ReactNode {
  const parts = use(PartsContext);
  return parts === null ? null : <parts.Item {...props} />;
}

export function MenuCheckItem(props: MenuCheckItemProps): ReactNode {
  const parts = use(PartsContext);
  return parts === null ? null : <parts.CheckItem {...props} />;
}

export function MenuSeparator(): ReactNode {
  return <div role="separator" className="-mx-1 my-1 h-px bg-line" />;
}

export function MenuLabel({ children }: { children: ReactNode }): ReactNode {
  return <div className="px-2 py-1.5 text-xs text-muted">{children}</div>;
}
