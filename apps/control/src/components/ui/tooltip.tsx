"use client";

import { type ReactNode, useEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

const DELAY_MS = 300;
const GAP = 6;
const EDGE = 8;

type Place = { left: number; top: number; isAbove: boolean };

/** Says what a control without words does, after a moment of pointing at it or at once with keyboard focus; Escape hides it. */
export function Tooltip({ text, children }: { text: ReactNode; children: ReactNode }): ReactNode {
  const anchor = useRef<HTMLSpanElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [place, setPlace] = useState<Place | null>(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const show = (): void => {
    const box = anchor.current?.firstElementChild?.getBoundingClientRect();
    if (box === undefined) return;
    const isAbove = box.bottom > window.innerHeight - 60;
    setPlace({ left: box.left + box.width / 2, top: isAbove ? box.top - GAP : box.bottom + GAP, isAbove });
  };
  const hide = (): void => {
    clearTimeout(timer.current);
    setPlace(null);
  };
  return (
    <span
      ref={anchor}
      className="contents"
      onPointerEnter={(event) => {
        // A finger does not point: what it touches acts at once.
        if (event.pointerType === "mouse") timer.current = setTimeout(show, DELAY_MS);
      }}
      onPointerLeave={hide}
      onPointerDown={hide}
      onFocus={(event) => {
        if (event.target.matches(":focus-visible")) show();
      }}
      onBlur={hide}
      onKeyDown={(event) => {
        if (event.key === "Escape") hide();
      }}
    >
      {children}
      {place === null ? null : createPortal(<Bubble place={place} text={text} />, document.body)}
    </span>
  );
}

function Bubble({ place, text }: { place: Place; text: ReactNode }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    // Centred below its control, but never over the edge of the window.
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(Math.max(EDGE, place.left - width / 2), window.innerWidth - width - EDGE);
    element.style.transform = `translate(${left}px, ${place.isAbove ? place.top - height : place.top}px)`;
    element.style.visibility = "visible";
  }, [place]);
  return (
    <div
      ref={box}
      role="tooltip"
      className="anim-fade pointer-events-none invisible fixed top-0 left-0 z-50 max-w-72 rounded-md bg-inverse px-2 py-1 text-xs text-on-inverse"
    >
      {text}
    </div>
  );
}
