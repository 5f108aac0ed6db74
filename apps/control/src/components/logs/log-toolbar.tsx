"use client";

import { ChevronDown, ChevronUp, Clock, Download, Eraser, WrapText } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { LogLines } from "@/components/logs/use-log-lines.ts";
import { Button } from "@/components/ui/button.tsx";
import { NativeSelect } from "@/components/ui/input.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { Tooltip } from "@/components/ui/tooltip.tsx";
import { oneOf } from "@/lib/url-state.ts";

const STREAMS = ["all", "stdout", "stderr"] as const;

export type LogSettings = { stream: (typeof STREAMS)[number]; withTime: boolean; isWrapped: boolean };

export type LogToolbarProps = {
  settings: LogSettings;
  onSettings: (settings: LogSettings) => void;
  search: string;
  onSearch: (text: string) => void;
  matches: number;
  match: number;
  onMatch: (step: number) => void;
  hasStreams: boolean;
  downloadUrl: string | null;
  onClear: () => void;
  status: LogLines["status"];
};

const TONES = { connecting: "warn", live: "ok", ended: "idle", failed: "bad" } as const;

export function LogToolbar(props: LogToolbarProps): ReactNode {
  const { settings, onSettings, search, matches, match, onMatch } = props;
  const t = useTranslations("logs");
  return (
    <div className="flex flex-wrap items-center gap-2">
      <form
        className="flex min-w-0 flex-1 items-center gap-1 max-sm:basis-full sm:max-w-96"
        onSubmit={(event) => {
          event.preventDefault();
          onMatch(1);
        }}
      >
        <SearchField label={t("search")} value={search} onChange={props.onSearch} className="min-w-0 flex-1" />
        {search === "" ? null : (
          <>
            <span role="status" className="tnum px-1 text-xs whitespace-nowrap text-muted">
              {matches === 0 ? t("noMatch") : t("matchOf", { match: match + 1, count: matches })}
            </span>
            <Button variant="ghost" size="iconSm" aria-label={t("previous")} disabled={matches === 0} onClick={() => onMatch(-1)}>
              <ChevronUp />
            </Button>
            <Button variant="ghost" size="iconSm" type="submit" aria-label={t("next")} disabled={matches === 0}>
              <ChevronDown />
            </Button>
          </>
        )}
      </form>
      {props.hasStreams ? (
        <NativeSelect
          aria-label={t("stream")}
          className="w-auto"
          value={settings.stream}
          onChange={(event) => onSettings({ ...settings, stream: oneOf(event.target.value, STREAMS) })}
        >
          {STREAMS.map((stream) => (
            <option key={stream} value={stream}>
              {stream === "all" ? t("allStreams") : stream}
            </option>
          ))}
        </NativeSelect>
      ) : null}
      <Toggle label={t("time")} isOn={settings.withTime} onClick={() => onSettings({ ...settings, withTime: !settings.withTime })}>
        <Clock />
      </Toggle>
      <Toggle label={t("wrap")} isOn={settings.isWrapped} onClick={() => onSettings({ ...settings, isWrapped: !settings.isWrapped })}>
        <WrapText />
      </Toggle>
      <Tooltip text={t("clear")}>
        <Button size="icon" aria-label={t("clear")} onClick={props.onClear}>
          <Eraser />
        </Button>
      </Tooltip>
      {props.downloadUrl === null ? null : (
        <Tooltip text={t("download")}>
          <Button asChild size="icon">
            <a href={props.downloadUrl} download aria-label={t("download")}>
              <Download />
            </a>
          </Button>
        </Tooltip>
      )}
      <span role="status" className="ml-auto text-xs">
        <Status tone={TONES[props.status]}>{t(`statuses.${props.status}`)}</Status>
      </span>
    </div>
  );
}

function Toggle({ label, isOn, onClick, children }: { label: string; isOn: boolean; onClick: () => void; children: ReactNode }): ReactNode {
  return (
    <Tooltip text={label}>
      <Button size="icon" aria-label={label} aria-pressed={isOn} onClick={onClick} className="aria-pressed:bg-active">
        {children}
      </Button>
    </Tooltip>
  );
}
