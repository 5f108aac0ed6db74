/** What the sign-in service said no to, with its status; 429 are too many attempts, 0 that nobody answered. */
export class AuthError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One call of the sign-in service. It answers anything: whoever asks parses it. @throws AuthError */
export async function callAuth(path: string, body: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`/api/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new AuthError(0, "");
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new AuthError(response.status, textOf(answer, "message"));
  return answer;
}

/** @returns `half` when a one-time code is asked for besides. @throws AuthError */
export async function signIn(email: string, password: string): Promise<"done" | "half"> {
  const answer = await callAuth("sign-in/email", { email: email.trim(), password });
  return typeof answer === "object" && answer !== null && "twoFactorRedirect" in answer && answer.twoFactorRedirect === true
    ? "half"
    : "done";
}

/** Signs in with what was just made and goes on; to the sign-in page when that is refused. */
export async function enterWith(email: string, password: string): Promise<void> {
  const isIn = await signIn(email, password).then(
    (outcome) => outcome === "done",
    () => false,
  );
  window.location.assign(isIn ? "/" : "/sign-in");
}

export async function signOut(): Promise<void> {
  await callAuth("sign-out", {});
}

function textOf(answer: unknown, name: string): string {
  if (typeof answer !== "object" || answer === null) return "";
  const value: unknown = Object.entries(answer).find(([key]) => key === name)?.[1];
  return typeof value === "string" ? value : "";
}
