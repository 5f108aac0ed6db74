import { buildCase, config, inside, says, step, tree, type PeerCase } from "../peer-case.ts";

/** Every instruction of a Dockerfile, apart from the copying ones. */
export const INSTRUCTION_CASES: readonly PeerCase[] = [
  buildCase("FROM and RUN", {
    dockerfile: "FROM busybox\nRUN echo hello > /f && echo said\n",
    look: [inside("cat /f"), config("Cmd", "Env")],
  }),
  buildCase("RUN in exec form", {
    dockerfile: 'FROM busybox\nRUN ["echo","$HOME"]\nRUN ["sh","-c","echo a b > /f"]\n',
    look: [inside("cat /f")],
  }),
  buildCase("RUN that fails", { dockerfile: "FROM busybox\nRUN exit 7\nRUN echo never\n" }),
  buildCase("RUN leaves the command alone", { dockerfile: "FROM busybox\nCMD echo c\nRUN true\n", look: [config("Cmd", "Entrypoint")] }),
  buildCase("RUN removes, replaces and links", {
    dockerfile:
      "FROM busybox\nRUN rm /etc/remove-me; mkdir -m 750 /d; touch /d/a; ln -s a /d/b; ln /d/a /d/c; chown -R 5:6 /d; chmod 4711 /d/a; rm -rf /mnt; mkdir /mnt\n",
    look: [tree("/d"), inside("ls -A /mnt /etc | grep -v mtab; stat -c %h /d/a")],
  }),
  buildCase("CMD forms", {
    dockerfile: 'FROM busybox\nCMD ["a","b"]\nCMD echo $HOME\n',
    look: [config("Cmd", "Entrypoint"), step("run", "--rm", "{image}")],
  }),
  buildCase("ENTRYPOINT takes the base's CMD away", {
    dockerfile: 'FROM busybox\nENTRYPOINT ["echo","e"]\n',
    look: [config("Cmd", "Entrypoint")],
  }),
  buildCase("ENTRYPOINT with CMD", {
    dockerfile: 'FROM busybox\nENTRYPOINT ["echo","e"]\nCMD ["c"]\n',
    look: [
      step("run", "--rm", "{image}"),
      step("run", "--rm", "{image}", "x", "y"),
      step("run", "--rm", "--entrypoint", "echo", "{image}", "z"),
      config("Cmd", "Entrypoint"),
    ],
  }),
  buildCase("ENTRYPOINT in shell form", {
    dockerfile: "FROM busybox\nENTRYPOINT echo $0 $@\nCMD x\n",
    look: [config("Cmd", "Entrypoint"), step("run", "--rm", "{image}", "y")],
  }),
  buildCase("LABEL forms", {
    dockerfile: 'FROM busybox\nLABEL a=1 "b c"="d e" f=\'g "h"\'\nLABEL a=2\nLABEL old style\n',
    args: ["--label", "z=9"],
    look: [config("Labels")],
  }),
  buildCase("MAINTAINER", {
    dockerfile: "FROM busybox\nMAINTAINER me <me@example.org>\n",
    look: [step("image", "inspect", "--format", "{{.Author}}", "{image}")],
  }),
  buildCase("EXPOSE", { dockerfile: "FROM busybox\nARG P=90\nEXPOSE 80 53/udp $P 100-102/tcp\n", look: [config("ExposedPorts")] }),
  buildCase("EXPOSE of what is no port", { dockerfile: "FROM busybox\nEXPOSE http\n" }),
  buildCase("ENV forms and variables", {
    dockerfile:
      "FROM busybox\nENV A=1 B=\"two words\" C=three\\ words\nENV D old style\nENV E=$A-${B}-${NONE:-fallback}-${A:+set} F='$A' G=\\$A\n",
    look: [config("Env"), inside("echo $A,$B,$C,$D,$E,$F,$G")],
  }),
  buildCase("ENV takes the values from before its line", {
    dockerfile: "FROM busybox\nENV a=one\nENV a=two b=$a\nENV c=$a\n",
    look: [config("Env")],
  }),
  buildCase("ARG", {
    dockerfile: "ARG TAG=latest\nFROM busybox:$TAG\nARG TAG\nARG A=1\nARG B\nRUN echo [$TAG] [$A] [$B]\nENV A=env\nRUN echo [$A]\n",
    args: ["--build-arg", "B=given", "--build-arg", "A=over"],
    look: [config("Env")],
  }),
  buildCase("ARG that no line asks for", { dockerfile: "FROM busybox\nRUN echo [$X]\n", args: ["--build-arg", "X=1"] }),
  buildCase("ARG is not in the image", { dockerfile: "FROM busybox\nARG A=1\nRUN echo $A\n", look: [inside("echo [$A]"), config("Env")] }),
  buildCase("WORKDIR", {
    dockerfile: "FROM busybox\nWORKDIR /a\nWORKDIR b/../c\nENV D=/d\nWORKDIR $D/e\nRUN pwd\n",
    look: [config("WorkingDir"), tree("/a"), tree("/d"), step("run", "--rm", "{image}", "pwd")],
  }),
  buildCase("USER", {
    dockerfile: "FROM busybox\nUSER nobody\nRUN id -u; id -g\nWORKDIR /w\nUSER 7:8\nRUN id -u; id -g\n",
    look: [config("User"), tree("/w"), step("run", "--rm", "{image}", "id", "-u")],
  }),
  buildCase("USER that does not exist", { dockerfile: "FROM busybox\nUSER nosuch\nRUN id\n" }),
  buildCase("VOLUME", {
    dockerfile: 'FROM busybox\nRUN mkdir /v && echo before > /v/f\nVOLUME /v\nVOLUME ["/w","/x"]\n',
    look: [config("Volumes"), inside("cat /v/f; ls -d /w /x")],
  }),
  buildCase("VOLUME: what a later RUN writes there is lost", {
    dockerfile: "FROM busybox\nRUN mkdir /v && echo before > /v/f\nVOLUME /v\nRUN echo later > /v/f\n",
    look: [inside("cat /v/f")],
  }),
  buildCase("STOPSIGNAL", { dockerfile: "FROM busybox\nSTOPSIGNAL SIGINT\n", look: [config("StopSignal")] }),
  buildCase("STOPSIGNAL of no signal", { dockerfile: "FROM busybox\nSTOPSIGNAL SIGNONE\n" }),
  buildCase("HEALTHCHECK", {
    dockerfile: "FROM busybox\nHEALTHCHECK --interval=5s --timeout=2s --start-period=1m --retries=4 CMD test -f /x\n",
    look: [config("Healthcheck")],
  }),
  buildCase("HEALTHCHECK NONE", {
    dockerfile: 'FROM busybox\nHEALTHCHECK CMD ["true"]\nHEALTHCHECK NONE\n',
    look: [config("Healthcheck")],
  }),
  buildCase("SHELL", { dockerfile: 'FROM busybox\nSHELL ["/bin/sh","-ec"]\nRUN false; echo never\n' }),
  buildCase("SHELL for commands", {
    dockerfile: 'FROM busybox\nSHELL ["/bin/sh","-ec"]\nCMD echo x\nENTRYPOINT echo y\n',
    look: [config("Shell", "Cmd", "Entrypoint")],
  }),
  {
    name: "ONBUILD",
    files: {
      "a/Dockerfile": "FROM busybox\nONBUILD RUN echo triggered\nONBUILD COPY f /f\n",
      "b/f": "file\n",
    },
    steps: [
      step("build", "-t", "{image}", "{dir}/a"),
      config("OnBuild"),
      { argv: ["build", "--no-cache", "-q", "-f", "-", "{dir}/b"], input: "FROM {image}\nRUN cat /f\n", words: ["sha256:"] },
    ],
  },
  buildCase("ONBUILD FROM is refused", { dockerfile: "FROM busybox\nONBUILD FROM busybox\n" }),
  buildCase("stages", {
    dockerfile:
      "FROM busybox AS one\nRUN echo 1 > /f\nFROM one AS two\nRUN echo 2 >> /f\nFROM busybox\nCOPY --from=two /f /f\nCOPY --from=0 /f /g\n",
    look: [inside("cat /f /g")],
  }),
  buildCase("a target stage", {
    dockerfile: "FROM busybox AS one\nRUN echo in one\nFROM busybox\nRUN echo in two\n",
    args: ["--target", "one"],
  }),
  buildCase("scratch", {
    dockerfile: 'FROM busybox AS b\nFROM scratch\nCOPY --from=b /bin/busybox /busybox\nENTRYPOINT ["/busybox"]\nCMD ["ls","/"]\n',
    look: [config("Env", "Cmd", "WorkingDir"), step("run", "--rm", "{image}", "echo", "works")],
  }),
  buildCase("comments, continued lines and escapes", {
    dockerfile: "# escape=`\nFROM busybox\n# a comment\nRUN echo a `\n# in between\n  b\nENV A=a`b\n",
    look: [config("Env")],
  }),
  buildCase("an instruction that is none", { dockerfile: "FROM busybox\nRUNN x\n" }),
  buildCase("an empty Dockerfile", { dockerfile: "# nothing\n" }),
  { name: "a missing Dockerfile", files: { x: "" }, steps: [says(["Dockerfile", "no such file"], "build", "{dir}")] },
  {
    name: "the second build takes all from the cache",
    files: { Dockerfile: "FROM busybox\nENV PEER=cache\nWORKDIR /w\nCOPY f .\nRUN cat f\n", f: "x\n" },
    steps: [
      step("build", "-t", "{image}", "{dir}"),
      step("build", "-t", "{image}", "{dir}"),
      step("history", "--format", "{{.CreatedBy}}", "{image}"),
    ],
  },
];
