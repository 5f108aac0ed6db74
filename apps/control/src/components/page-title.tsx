import type { ReactNode } from "react";

/** The window's title in the page's language; with `isHidden` also the page's heading, where the bar above already shows it. */
export function PageTitle({ text, isHidden = false }: { text: string; isHidden?: boolean }): ReactNode {
  return (
    <>
      <title>{`${text} · Flotilla`}</title>
      {isHidden ? <h1 className="sr-only">{text}</h1> : null}
    </>
  );
}
