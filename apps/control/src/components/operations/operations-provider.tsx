"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useTranslations } from "use-intl";
import type { BuildRequest } from "@/lib/build-image.ts";
import { notify } from "@/lib/notify.ts";
import { appendText, applySteps, createOperations, type Operation, type OperationKind, type Operations } from "@/lib/operations.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

export type Login = { username: string; password: string };
export type TransferRequest = { kind: "pull" | "push"; host: string; reference: string; platform?: string; login?: Login };

export type OperationActions = {
  transfer: (request: TransferRequest) => void;
  build: (request: BuildRequest) => void;
  cancel: (id: string) => void;
  clear: () => void;
  /** Whether the drawer that shows them is open. */
  isOpen: boolean;
  setOpen: (isOpen: boolean) => void;
};

const StoreContext = createContext<Operations | null>(null);
const ActionsContext = createContext<OperationActions | null>(null);

/** Pulls, pushes and builds of this tab. They go on while pages come and go; closing the tab asks first, since it ends them. */
export function OperationsProvider({ children }: { children: ReactNode }): ReactNode {
  const [store] = useState(() => createOperations(Date.now));
  const [isOpen, setOpen] = useState(false);
  const client = useTRPCClient();
  const finish = useFinish(store);
  const transfer = useCallback(
    ({ kind, reference, ...input }: TransferRequest) => {
      const controller = new AbortController();
      const id = store.add({ kind, host: input.host, subject: reference }, () => controller.abort());
      const events = {
        // A connection that was lost and came back begins the transfer again; the engine keeps what it has.
        onStarted: () => store.update(id, (one) => ({ ...one, layers: [], lines: [] })),
        onData: (batch: { steps: Parameters<typeof applySteps>[1] }) => store.update(id, (one) => applySteps(one, batch.steps)),
        onComplete: () => finish(id, null),
        onError: (error: unknown) => finish(id, errorMessage(error)),
      };
      const subscription =
        kind === "pull"
          ? client.images.onPull.subscribe({ reference, ...input }, events)
          : client.images.onPush.subscribe({ reference, ...input }, events);
      controller.signal.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
    },
    [client, store, finish],
  );
  const build = useCallback(
    (request: BuildRequest) => {
      const controller = new AbortController();
      const subject = request.tags[0] ?? request.dockerfile;
      const id = store.add({ kind: "build", host: request.host, subject }, () => controller.abort());
      void runBuild({ request, store, id, signal: controller.signal }).then(
        () => finish(id, null),
        (error: unknown) => finish(id, errorMessage(error)),
      );
    },
    [store, finish],
  );
  useLeaveQuestion(store);
  const actions = useMemo(
    () => ({ transfer, build, cancel: store.cancel, clear: store.clear, isOpen, setOpen }),
    [transfer, build, store, isOpen],
  );
  return (
    <StoreContext value={store}>
      <ActionsContext value={actions}>{children}</ActionsContext>
    </StoreContext>
  );
}

/** All operations, newest first. */
export function useOperations(): readonly Operation[] {
  const store = use(StoreContext);
  if (store === null) throw new Error("no OperationsProvider above");
  return useSyncExternalStore(store.subscribe, store.list, () => NONE);
}

const NONE: readonly Operation[] = [];

export function useOperationActions(): OperationActions {
  const actions = use(ActionsContext);
  if (actions === null) throw new Error("no OperationsProvider above");
  return actions;
}

/** What an operation's end brings: its state, a notice, and lists that are read again. */
function useFinish(store: Operations): (id: string, error: string | null) => void {
  const t = useTranslations("operations");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return useCallback(
    (id: string, error: string | null) => {
      const before = store.list().find((one) => one.id === id);
      if (before?.state !== "running") return;
      store.end(id, error === null ? "done" : "failed", error ?? undefined);
      const title = t(noticeKey(before.kind, error === null), { subject: before.subject, host: before.host });
      notify(error === null ? "success" : "error", title, error === null ? {} : { description: error });
      void queryClient.invalidateQueries({ queryKey: trpc.images.pathKey() });
    },
    [store, t, trpc, queryClient],
  );
}

function noticeKey(kind: OperationKind, isGood: boolean) {
  return isGood ? (`notices.${kind}Done` as const) : (`notices.${kind}Failed` as const);
}

const FLUSH_MS = 100;

async function runBuild(work: { request: BuildRequest; store: Operations; id: string; signal: AbortSignal }): Promise<void> {
  const { request, store, id, signal } = work;
  const { buildImage } = await import("@/lib/build-image.ts");
  let text = "";
  const flush = (): void => {
    const added = text;
    text = "";
    if (added !== "") store.update(id, (one) => ({ ...one, lines: appendText(one.lines, added) }));
  };
  const timer = setInterval(flush, FLUSH_MS);
  const totalBytes = request.context.size;
  store.update(id, (one) => ({ ...one, upload: { sentBytes: 0, totalBytes } }));
  const events = {
    onSent: (sentBytes: number) => store.update(id, (one) => ({ ...one, upload: { sentBytes, totalBytes } })),
    onText: (more: string) => {
      text += more;
    },
  };
  try {
    await buildImage(request, events, signal);
  } finally {
    clearInterval(timer);
    flush();
  }
}

function useLeaveQuestion(store: Operations): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (store.list().some((one) => one.state === "running")) event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [store]);
}
