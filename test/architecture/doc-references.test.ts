import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const DOCS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md", { cwd: ROOT })];

/** Paths cited as code that begin with one of our folders; patterns and made-up names are left out. */
const CITED = /`((?:agent|apps|packages|prisma|scripts|test|bench|docs)\/[\w./-]*)`/g;
const LINKED = /\]\((?!https?:|#)([^)#]+)\)/g;

test.each(DOCS)("every path that %s names exists", (doc) => {
  const text = readFileSync(join(ROOT, doc), "utf8");
  const cited = [...text.matchAll(CITED)].map((match) => match[1] ?? "");
  const linked = [...text.matchAll(LINKED)].map((match) => join(dirname(doc), match[1] ?? ""));
  const missing = [...cited, ...linked].filter((path) => !existsSync(join(ROOT, path)));
  expect(missing).toEqual([]);
});

test("there are documents to look at", () => {
  expect(DOCS.length).toBeGreaterThan(3);
});
