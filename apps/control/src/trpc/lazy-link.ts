import { type OperationLink, TRPCClientError, type TRPCLink } from "@trpc/client";
import type { AnyRouter } from "@trpc/server";
import { observable } from "@trpc/server/observable";

/** A link whose code is loaded with the first operation that goes over it. One that ends before that never begins. */
export function lazyLink<Router extends AnyRouter>(load: () => Promise<TRPCLink<Router>>): TRPCLink<Router> {
  return (runtime) => {
    let loading: Promise<OperationLink<Router>> | undefined;
    return ({ op, next }) =>
      observable((observer) => {
        let isEnded = false;
        let running: { unsubscribe: () => void } | undefined;
        loading ??= load().then((link) => link(runtime));
        loading.then(
          (link) => {
            if (!isEnded) running = link({ op, next }).subscribe(observer);
          },
          (cause: unknown) => {
            // The next operation tries again: the network may be back.
            loading = undefined;
            observer.error(TRPCClientError.from(cause instanceof Error ? cause : new Error(String(cause))));
          },
        );
        return () => {
          isEnded = true;
          running?.unsubscribe();
        };
      });
  };
}
