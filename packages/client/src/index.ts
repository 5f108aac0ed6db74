import type { AppRouter, RouterInputs, RouterOutputs } from "@flotilla/api";
import { createTRPCClient, httpLink, type TRPCClient, TRPCClientError } from "@trpc/client";

export type { RouterInputs, RouterOutputs };
export type FlotillaClient = TRPCClient<AppRouter>;

/**
 * Every procedure of a control plane, typed by the control plane itself: `await client.hosts.list.query()`. What it refuses is
 * thrown as an error for which `isRefusal` is true.
 * @param url where it is, such as `https://flotilla.example.org`
 * @param token an API token, `flt_…`
 */
export function createFlotillaClient({ url, token }: { url: string; token: string }): FlotillaClient {
  const address = `${url.replace(/\/$/, "")}/api/trpc`;
  return createTRPCClient<AppRouter>({ links: [httpLink({ url: address, headers: { authorization: `Bearer ${token}` } })] });
}

/** Whether an error is the control plane's own: its `message` is a sentence, `data.code` says why (`NOT_FOUND`, `FORBIDDEN`, …). */
export function isRefusal(error: unknown): error is TRPCClientError<AppRouter> {
  return error instanceof TRPCClientError;
}
