import { createAuthClient } from "better-auth/client";

/** The sign-in service of this control plane. Made when needed: it reads the page's own address, which only a browser has. */
export function openAuthClient(): Pick<ReturnType<typeof createAuthClient>, "signIn" | "signOut"> {
  return createAuthClient({ baseURL: `${window.location.origin}/api/auth` });
}
