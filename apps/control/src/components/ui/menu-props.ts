import type { ComponentProps, ComponentType, ReactElement, ReactNode } from "react";

export type MenuProps = {
  /** A button: it is given what opens the menu. */
  trigger: ReactElement<ComponentProps<"button">>;
  children: ReactNode;
  align?: "start" | "end";
  label?: string;
  isWide?: boolean;
};
export type MenuItemProps = { children: ReactNode; onSelect: () => void; disabled?: boolean; isDanger?: boolean };
export type MenuCheckItemProps = { children: ReactNode; checked: boolean; onCheckedChange: () => void };

export type MenuRootProps = Pick<MenuProps, "children" | "align" | "label"> & {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  /** Gives the focus back to the menu's button. */
  onClosed: () => void;
};

/** What draws a menu, loaded with the first that is reached for. */
export type MenuParts = {
  Root: ComponentType<MenuRootProps>;
  Item: ComponentType<MenuItemProps>;
  CheckItem: ComponentType<MenuCheckItemProps>;
};
