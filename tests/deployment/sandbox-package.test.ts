/** The package of the sandbox: what is packed can be installed elsewhere, run, imported and compiled. */
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { node } from "../../lab/drill/bot-process.ts";
import type { Loose } from "../sandbox/bot-client.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const described = JSON.parse(readFileSync(join(root, "sandbox/package.json"), "utf8")) as Loose;
const timeout = 120_000;

/** The project's own Node comes first, because the machine's may be too old to run the scripts. */
const env = {
  ...process.env,
  PATH: [dirname(node), join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
  npm_config_cache: join(tmpdir(), "npm-cache-of-the-sandbox-test"),
  npm_config_update_notifier: "false",
};

/** Packs a copy of the folder, so that no build appears beside the sources, and installs it offline. */
async function install(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "sandbox-package-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [sources, user] = [join(directory, "sources"), join(directory, "user")];
  for (const path of ["sandbox", "tsconfig.json", "LICENSE"]) {
    cpSync(join(root, path), join(sources, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(sources, "node_modules"));
  const packing = join(sources, "sandbox");
  const version = await run("npm", ["--version"], { env }).catch(() => undefined);
  if (!version) return context.skip("npm is not installed");
  const packed = await run("npm", ["pack", "--json", "--pack-destination", directory], {
    cwd: packing,
    env,
    timeout,
  });
  const report = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[\n"))) as Loose;
  const [{ filename, files }] = report;
  mkdirSync(user);
  writeFileSync(join(user, "package.json"), '{ "private": true, "type": "module" }\n');
  const quiet = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...quiet, join(directory, filename)], { cwd: user, env, timeout });
  const paths = files.map(({ path }: Loose) => path as string);
  return { files: paths as readonly string[], leftOver: join(packing, "dist"), user };
}

test("a packed sandbox is installed in an empty directory, runs, is imported and compiled", {
  timeout,
}, async (context) => {
  const { files, leftOver, user } = await install(context);
  expect(files).toContain("dist/page/index.html");
  expect(files).toContain("dist/LICENSE");
  expect(files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))).toEqual([]);
  expect(existsSync(leftOver)).toBe(false);

  const program = join(user, "node_modules/.bin", described.name);
  expect((await run(program, ["--help"], { env })).stdout).toContain("--port");
  const child = spawn(program, ["--port", "0"], { env, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const url = await new Promise<string>((resolve) => {
    let greeting = "";
    child.stdout.on("data", (chunk: Buffer) => {
      greeting += chunk.toString();
      const found = /TELEGRAM_API_ROOT=(\S+)/.exec(greeting)?.[1];
      if (found) resolve(found);
    });
  });
  expect(await (await fetch(url)).text()).toContain("Sandbox");
  expect(await (await fetch(`${url}/sandbox/scenarios`)).json()).not.toEqual([]);

  writeFileSync(
    join(user, "use.ts"),
    `import { Sandbox, sandboxToken } from "${described.name}";
import { type SandboxClient, sandboxClient } from "${described.name}/client";
import type { Written } from "${described.name}/control-api";
import { ensureSandbox } from "${described.name}/ensure";

const remote: SandboxClient = sandboxClient(process.argv[2] ?? "");
const written: Written = await remote.write({ userId: 42, text: "/start" });
const own = new Sandbox();
const { url } = await own.start();
const ensured = await ensureSandbox({ port: 0 });
const me = await (await fetch(\`\${url}/bot\${sandboxToken}/getMe\`)).json();
console.log(JSON.stringify({ text: written.message.text, me, ensured: ensured.started }));
await ensured.stop();
await own.stop();
// @ts-expect-error The types are not "any".
export const wrong = () => remote.write({ userId: "42" });
`,
  );
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
  const strict = ["--strict", "--target", "es2024", "--module", "nodenext"];
  await run("tsc", ["use.ts", ...strict, ...types], { cwd: user, env }).catch((error) => {
    throw new Error(error.stdout, { cause: error });
  });
  const { stdout } = await run(node, ["use.js", url], { cwd: user, env, timeout: 30_000 });
  expect(JSON.parse(stdout)).toMatchObject({
    text: "/start",
    me: { ok: true, result: { is_bot: true } },
    ensured: true,
  });
});

test("the package depends on nothing, and builds with what the repository has", () => {
  const repository = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Loose;
  expect(described.dependencies).toBeUndefined();
  for (const [name, version] of Object.entries(described.devDependencies)) {
    expect([name, repository.devDependencies[name]]).toEqual([name, version]);
  }
  expect(described.version).toBe(repository.version);
});
