import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal } from "@xterm/xterm";

/** A terminal drawn into an element, fitted to it. */
export type Screen = {
  terminal: Terminal;
  fit: () => void;
  /** Takes the colours of the page anew: after a change of theme. */
  paint: () => void;
  dispose: () => void;
};

const SCROLLBACK = 5_000;

export function createScreen(element: HTMLElement): Screen {
  const terminal = new Terminal({
    fontFamily: getComputedStyle(element).fontFamily,
    fontSize: 13,
    lineHeight: 1.2,
    cursorBlink: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    scrollback: SCROLLBACK,
    theme: themeOf(element),
  });
  const addon = new FitAddon();
  terminal.loadAddon(addon);
  terminal.open(element);
  const fit = (): void => {
    // A hidden element has no size, and fitting to it would tell the program of a terminal two columns wide.
    if (element.clientWidth > 0 && element.clientHeight > 0) addon.fit();
  };
  fit();
  const observer = new ResizeObserver(fit);
  observer.observe(element);
  return {
    terminal,
    fit,
    paint: () => {
      terminal.options.theme = themeOf(element);
    },
    dispose: () => {
      observer.disconnect();
      terminal.dispose();
    },
  };
}

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

function themeOf(element: HTMLElement): ITheme {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const palette = Object.fromEntries(
    NAMES.flatMap((name, index) => [
      [name, color(`ansi-${index}`)],
      [`bright${name.charAt(0).toUpperCase()}${name.slice(1)}`, color(`ansi-${index + 8}`)],
    ]),
  );
  return {
    ...palette,
    background: color("panel"),
    foreground: color("ink"),
    cursor: color("ink"),
    cursorAccent: color("panel"),
    selectionBackground: `${color("info")}55`,
  };
}
