import type { Locale as AppLocale } from "@/lib/preferences.ts";
import type messages from "@/messages/en.json";

// Makes the keys of the English catalogue the only ones that `t()` takes.
declare module "use-intl" {
  interface AppConfig {
    Messages: typeof messages;
    Locale: AppLocale;
  }
}
