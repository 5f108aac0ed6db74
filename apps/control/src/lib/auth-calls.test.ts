import { afterEach, describe, expect, test, vi } from "vitest";
import { AuthError, callAuth, signIn } from "./auth-calls.ts";

/** Answers every call with this; what was asked is in the calls of the mock. */
function answering(status: number, body: string) {
  const asked = vi.fn(async () => new Response(body, { status }));
  vi.stubGlobal("fetch", asked);
  return asked;
}
afterEach(() => vi.unstubAllGlobals());

describe("a sign-in", () => {
  test("is done, or asks for a one-time code", async () => {
    const asked = answering(200, '{"user":{"id":"u1"}}');
    expect(await signIn(" ada@example.test ", "pass word")).toBe("done");
    expect(asked).toHaveBeenCalledWith("/api/auth/sign-in/email", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"email":"ada@example.test","password":"pass word"}',
    });
    answering(200, '{"twoFactorRedirect":true}');
    expect(await signIn("ada@example.test", "pass word")).toBe("half");
    answering(200, "null");
    expect(await signIn("ada@example.test", "pass word")).toBe("done");
  });

  test.each([
    [401, '{"message":"Invalid email or password"}', "Invalid email or password"],
    [429, '{"message":17}', ""],
    [502, "<html>", ""],
  ])("refused with %i says so", async (status, body, message) => {
    answering(status, body);
    await expect(signIn("a@b.c", "x")).rejects.toMatchObject({ status, message });
  });

  test("that reaches nobody has the status 0", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
    await expect(callAuth("sign-out", {})).rejects.toEqual(new AuthError(0, ""));
  });
});
