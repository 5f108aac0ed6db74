"use client";

import { type ReactNode, useEffect, useState } from "react";
import { useMe } from "@/components/use-me.ts";
import { Command } from "@/components/ui/copy-button.tsx";

/** Name of this registry in front of image names: where the page itself came from. */
export function useRegistryName(): string {
  const [name, setName] = useState("");
  useEffect(() => setName(window.location.host), []);
  return name;
}

/** The three commands of a first push. */
export function PushCommands({ repository }: { repository?: string }): ReactNode {
  const registry = useRegistryName();
  const me = useMe();
  const target = `${registry}/${repository ?? `${me?.team.slug ?? "team"}/app`}:latest`;
  return (
    <>
      <Command text={`docker login ${registry}`} />
      <Command text={`docker tag IMAGE ${target}`} />
      <Command text={`docker push ${target}`} />
    </>
  );
}
