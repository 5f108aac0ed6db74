import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { cloneElement, type ComponentProps, isValidElement, type ReactNode } from "react";
import { cn } from "@/lib/cn.ts";

const button = cva(
  "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md text-sm font-medium transition-colors disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-inverse text-on-inverse hover:bg-inverse/88",
        outline: "border border-line-strong bg-panel hover:bg-hover",
        ghost: "text-muted hover:bg-hover hover:text-ink",
        danger: "bg-bad text-white hover:bg-bad/90 dark:text-canvas",
        dangerOutline: "border border-line-strong bg-panel text-bad hover:bg-bad-soft",
      },
      size: { md: "h-8 px-3", sm: "h-7 px-2 text-xs", icon: "size-8", iconSm: "size-7" },
    },
    defaultVariants: { variant: "outline", size: "md" },
  },
);

export type ButtonProps = ComponentProps<"button"> & VariantProps<typeof button> & { asChild?: boolean; isPending?: boolean };

/** A 32 px control. While pending it keeps its width, shows a spinner and takes no clicks. */
export function Button({ className, variant, size, asChild = false, isPending = false, children, ...props }: ButtonProps): ReactNode {
  const classes = cn(button({ variant, size }), className);
  // A link that looks like a button: the child is what is drawn.
  if (asChild && isValidElement<{ className?: string }>(children)) {
    return cloneElement(children, { ...(props as object), className: cn(classes, children.props.className) });
  }
  return (
    <button type="button" className={cn(classes, "relative")} {...props} disabled={props.disabled === true || isPending}>
      {isPending ? <LoaderCircle aria-hidden className="absolute animate-spin" /> : null}
      <span className={cn("inline-flex items-center gap-1.5", isPending && "invisible")}>{children}</span>
    </button>
  );
}
