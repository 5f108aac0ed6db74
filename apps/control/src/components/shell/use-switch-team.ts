import { useTranslations } from "use-intl";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPCClient } from "@/trpc/client.ts";

/** Acts for another team from now on. The page is loaded anew at the start, so that nothing of the old team stays in memory. */
export function useSwitchTeam(): (id: string) => void {
  const t = useTranslations("shell");
  const client = useTRPCClient();
  return (id) => {
    client.me.switchTeam.mutate({ id }).then(
      () => window.location.assign("/"),
      (error: unknown) => notify("error", t("switchFailed"), { description: errorMessage(error) }),
    );
  };
}
