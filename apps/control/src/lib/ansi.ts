/**
 * Log lines with terminal colours, as data: text and style, never HTML. Only SGR (colour, weight, underline) has an effect; every
 * other escape sequence (cursor, titles, OSC 8 links, OSC 52 clipboard) and every other control character is dropped, so that a
 * container cannot write into the page or the clipboard. Follows ECMA-48.
 */
export type AnsiStyle = {
  /** 0-15 from the palette, or `#rrggbb`. */
  color?: number | string;
  background?: number | string;
  isBold?: boolean;
  isDim?: boolean;
  isItalic?: boolean;
  isUnderlined?: boolean;
  isInverse?: boolean;
};

export type AnsiSpan = { text: string; style: AnsiStyle };

// oxlint-disable-next-line no-control-regex -- control characters are what this file is about
const SEQUENCE = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-~]?)/g;
// oxlint-disable-next-line no-control-regex -- as above; a tab stays
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Splits a line into spans of one style each. Empty spans are left out. */
export function parseAnsi(line: string): AnsiSpan[] {
  if (!line.includes("\u001b")) return line === "" ? [] : [{ text: line.replace(CONTROLS, ""), style: {} }];
  const spans: AnsiSpan[] = [];
  let style: AnsiStyle = {};
  let from = 0;
  const push = (text: string): void => {
    const clean = text.replace(CONTROLS, "");
    if (clean !== "") spans.push({ text: clean, style });
  };
  for (const match of line.matchAll(SEQUENCE)) {
    push(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = applySgr(style, match[1] ?? "");
  }
  push(line.slice(from));
  return spans;
}

/** The line without any escape sequence: what a search looks at. */
export function stripAnsi(line: string): string {
  return line.replace(SEQUENCE, "").replace(CONTROLS, "");
}

function applySgr(style: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map(Number);
  let next: AnsiStyle = { ...style };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const [color, used] = extendedColor(codes.slice(index + 1));
      index += used;
      if (color !== null) next = code === 38 ? { ...next, color } : { ...next, background: color };
    } else {
      next = applyCode(next, code);
    }
  }
  return next;
}

function applyCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code >= 30 && code <= 37) return { ...style, color: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, background: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, color: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, background: code - 92 };
  switch (code) {
    case 0:
      return {};
    case 1:
      return { ...style, isBold: true };
    case 2:
      return { ...style, isDim: true };
    case 3:
      return { ...style, isItalic: true };
    case 4:
      return { ...style, isUnderlined: true };
    case 7:
      return { ...style, isInverse: true };
    case 22:
      return without(style, "isBold", "isDim");
    case 23:
      return without(style, "isItalic");
    case 24:
      return without(style, "isUnderlined");
    case 27:
      return without(style, "isInverse");
    case 39:
      return without(style, "color");
    case 49:
      return without(style, "background");
    default:
      return style;
  }
}

function without(style: AnsiStyle, ...keys: (keyof AnsiStyle)[]): AnsiStyle {
  const next = { ...style };
  for (const key of keys) delete next[key];
  return next;
}

/** `5;n` or `2;r;g;b` after 38 or 48: the colour, and how many parameters it took. */
function extendedColor(codes: number[]): [number | string | null, number] {
  const [kind, first = 0, second = 0, third = 0] = codes;
  if (kind === 5) return [paletteColor(first), 2];
  if (kind === 2) return [hex(first, second, third), 4];
  return [null, 0];
}

function paletteColor(index: number): number | string {
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return hex(grey, grey, grey);
  }
  const level = (value: number): number => (value === 0 ? 0 : 55 + value * 40);
  const cube = index - 16;
  return hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function hex(...channels: [number, number, number]): string {
  return `#${channels.map((value) => Math.min(255, Math.max(0, value)).toString(16).padStart(2, "0")).join("")}`;
}
