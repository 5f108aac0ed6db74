type Place = Pick<Location, "pathname" | "search" | "assign">;

/** Where a page with no session goes, and comes back from. */
export function signInUrl({ pathname, search }: Pick<Place, "pathname" | "search">): string {
  const here = `${pathname}${search}`;
  return here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`;
}

/**
 * The way from a page to the sign-in page, taken once: calls that run while a session ends are all answered that it is over, and
 * each navigation that they start would break off the one before.
 */
export class Departure {
  readonly #place: () => Place;
  #isLeaving = false;

  constructor(place: () => Place) {
    this.#place = place;
  }

  /** The session is over: to the sign-in page, and from there back here. */
  expire(): void {
    const place = this.#place();
    if (this.#isLeaving || place.pathname === "/sign-in") return;
    this.#isLeaving = true;
    place.assign(signInUrl(place));
  }

  /** The person ends the session, and comes back to no page. @param end ends it; when that throws the page stays. */
  async signOut(end: () => Promise<void>): Promise<void> {
    this.#isLeaving = true;
    try {
      await end();
    } catch (error) {
      this.#isLeaving = false;
      throw error;
    }
    // The page is loaded anew, so that nothing of this person stays in memory.
    this.#place().assign("/sign-in");
  }
}

/** Of this tab. */
export const departure = new Departure(() => window.location);
