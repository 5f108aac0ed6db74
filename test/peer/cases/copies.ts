import { buildCase, inside, listing, quiet, says, step, tree, type PeerCase } from "../peer-case.ts";

const FILES = { "one.txt": "1\n", "two.txt": "22\n", "dir/three.txt": "333\n", "dir/sub/four.md": "4444\n" };

/** COPY and ADD: where things land, whose they are, and what is refused. */
const BUILD_COPIES: readonly PeerCase[] = [
  buildCase("COPY a file to a name and into a directory", {
    dockerfile: "FROM busybox\nCOPY one.txt /a\nCOPY one.txt /d/\nCOPY one.txt /e/f/g\n",
    files: FILES,
    look: [tree("/a"), tree("/d"), tree("/e")],
  }),
  buildCase("COPY a directory copies what is in it", {
    dockerfile: "FROM busybox\nCOPY dir /d\nCOPY dir/ /e/\n",
    files: FILES,
    look: [tree("/d"), tree("/e")],
  }),
  buildCase("COPY with wildcards", { dockerfile: "FROM busybox\nCOPY *.txt d?r /d/\n", files: FILES, look: [tree("/d")] }),
  buildCase("COPY several to what is no directory", { dockerfile: "FROM busybox\nCOPY one.txt two.txt /d\n", files: FILES }),
  buildCase("COPY of what is not there", { dockerfile: "FROM busybox\nCOPY nosuch /d\n", files: FILES }),
  buildCase("COPY from outside of the context", { dockerfile: "FROM busybox\nCOPY ../../etc/passwd /d\n", files: FILES }),
  buildCase("COPY with an owner", {
    dockerfile: "FROM busybox\nCOPY --chown=nobody:extra dir /d\nCOPY --chown=7 one.txt /e\n",
    files: FILES,
    look: [tree("/d"), tree("/e")],
  }),
  buildCase("COPY with an owner who does not exist", { dockerfile: "FROM busybox\nCOPY --chown=nosuch one.txt /e\n", files: FILES }),
  buildCase("COPY relative to WORKDIR, in JSON form", {
    dockerfile: 'FROM busybox\nWORKDIR /w\nCOPY ["one.txt","a b"]\nCOPY two.txt .\n',
    files: FILES,
    look: [tree("/w")],
  }),
  buildCase("COPY through a link of the image", {
    dockerfile: "FROM busybox\nRUN mkdir /real && ln -s real /link\nCOPY dir /link/\n",
    files: FILES,
    look: [tree("/real"), inside("readlink /link")],
  }),
  buildCase("COPY over what is there", {
    dockerfile: "FROM busybox\nRUN mkdir -m 700 /d && echo old > /d/one.txt && chown 5 /d /d/one.txt\nCOPY one.txt /d/\n",
    files: FILES,
    look: [tree("/d")],
  }),
  buildCase("a .dockerignore", {
    dockerfile: "FROM busybox\nCOPY . /d\n",
    files: { ...FILES, ".dockerignore": "# words\n*.txt\n!two.txt\ndir/sub\nDockerfile\n" },
    look: [tree("/d")],
  }),
  buildCase("ADD a file", {
    dockerfile: "FROM busybox\nADD one.txt /a\nADD --chown=9:9 dir /d\n",
    files: FILES,
    look: [tree("/a"), tree("/d")],
  }),
];

/** `docker cp`, into and out of a container that does not run. */
const CONTAINER_COPIES: readonly PeerCase[] = [
  {
    name: "cp into a container",
    files: FILES,
    steps: [
      quiet("run", "--name", "{box}", "busybox", "mkdir", "/d"),
      quiet("cp", "{dir}/one.txt", "{box}:/d"),
      quiet("cp", "{dir}/one.txt", "{box}:/d/named"),
      quiet("cp", "{dir}/dir", "{box}:/d"),
      quiet("cp", "{dir}/dir", "{box}:/new"),
      quiet("cp", "{dir}/dir/.", "{box}:/d"),
      says(["no such directory", "not find", "no such"], "cp", "{dir}/one.txt", "{box}:/missing/"),
      says(["cannot copy directory", "not a directory"], "cp", "{dir}/dir", "{box}:/d/one.txt"),
      says(["no such"], "cp", "{dir}/one.txt", "{box}:/missing/f"),
      quiet("commit", "{box}", "{image}"),
      inside("find /d /new | sort"),
    ],
  },
  {
    name: "cp out of a container",
    steps: [
      quiet("run", "--name", "{box}", "busybox", "sh", "-c", "mkdir -p /d/e && echo x > /d/e/f && ln -s e /d/l"),
      quiet("cp", "{box}:/d", "{dir}/new"),
      quiet("cp", "{box}:/d", "{dir}"),
      quiet("cp", "{box}:/d/e/f", "{dir}/named"),
      says(["could not find", "no such"], "cp", "{box}:/nosuch", "{dir}"),
      says(["no such container"], "cp", "{box}-none:/d", "{dir}"),
      quiet("run", "--rm", "-v", "{dir}:/seen:ro", "busybox", "sh", "-c", "ls -lR /seen"),
      step("run", "--rm", "-v", "{dir}:/seen:ro", "busybox", "sh", "-c", listing("/seen/new /seen/d /seen/named")),
    ],
  },
  {
    name: "diff after a run",
    steps: [
      quiet("run", "--name", "{box}", "busybox", "sh", "-c", "rm /etc/remove-me; echo x > /etc/change-me; mkdir /n; touch /n/f"),
      { argv: ["diff", "{box}"], isUnordered: true },
    ],
  },
];

export const COPY_CASES: readonly PeerCase[] = [...BUILD_COPIES, ...CONTAINER_COPIES];
