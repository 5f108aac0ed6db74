// Our own lint rules. They forbid what has cost others most: a child process with a shell in it.
const SHELL_CALLS = new Set(["exec", "execSync", "execFileSync", "spawnSync"]);

const noShell = {
  meta: {
    type: "problem",
    docs: { description: "a child process gets an argv array through host.run, never a shell" },
  },
  create(context) {
    return {
      ImportDeclaration(node) {
        if (node.source.value !== "node:child_process" && node.source.value !== "child_process") return;
        for (const specifier of node.specifiers) {
          const name = specifier.imported?.name;
          if (SHELL_CALLS.has(name))
            context.report({
              node: specifier,
              message: `"${name}" blocks or uses a shell: call run() of agent/src/host/run.ts with an argv array.`,
            });
        }
      },
      Property(node) {
        const key = node.key.name ?? node.key.value;
        if (key === "shell" && node.value.type === "Literal" && node.value.value !== false) {
          context.report({ node, message: "no shell: pass an argv array." });
        }
      },
    };
  },
};

export default { meta: { name: "flotilla" }, rules: { "no-shell": noShell } };
