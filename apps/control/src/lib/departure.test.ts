import { describe, expect, test } from "vitest";
import { Departure, signInUrl } from "./departure.ts";

function tab(pathname: string, search = ""): { departure: Departure; went: string[] } {
  const went: string[] = [];
  return { went, departure: new Departure(() => ({ pathname, search, assign: (url: string | URL) => void went.push(String(url)) })) };
}

describe("the way to the sign-in page", () => {
  test("leads back to the page and what it showed", () => {
    expect(signInUrl({ pathname: "/volumes", search: "?q=a&b=ü" })).toBe("/sign-in?next=%2Fvolumes%3Fq%3Da%26b%3D%C3%BC");
    expect(signInUrl({ pathname: "/", search: "" })).toBe("/sign-in");
    expect(signInUrl({ pathname: "/", search: "?x=1" })).toBe("/sign-in?next=%2F%3Fx%3D1");
  });

  test("is taken once, however many calls are told that the session is over", () => {
    const { departure, went } = tab("/hosts");
    departure.expire();
    departure.expire();
    expect(went).toEqual(["/sign-in?next=%2Fhosts"]);
  });

  test("is not taken from the sign-in page itself", () => {
    const { departure, went } = tab("/sign-in");
    departure.expire();
    expect(went).toEqual([]);
  });

  test("a person who signs out comes back to no page, whatever calls are told meanwhile", async () => {
    const { departure, went } = tab("/hosts");
    await departure.signOut(async () => {
      departure.expire();
      await Promise.resolve();
      departure.expire();
    });
    departure.expire();
    expect(went).toEqual(["/sign-in"]);
  });

  test("stays when signing out fails, and goes when the session ends later", async () => {
    const { departure, went } = tab("/hosts");
    await expect(departure.signOut(() => Promise.reject(new Error("offline")))).rejects.toThrow("offline");
    expect(went).toEqual([]);
    departure.expire();
    expect(went).toEqual(["/sign-in?next=%2Fhosts"]);
  });
});
