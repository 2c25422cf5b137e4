/**
 * Manifests: what cannot run here (systemd, Docker, Kubernetes) is read, and judged by the rules that
 * would otherwise be broken silently. Where a checker of its own is installed, it is asked too.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../../bot/config/fault-tolerance-config.ts";
import { allocatorEnv, startOptions } from "../../lab/drill/bot-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const { lifecycle } = parseConfig({});
const drainSeconds = lifecycle.drainDeadlineMs / 1000;

// PM2 reads YAML, so the parser is here already.
const { loadAll } = createRequire(join(root, "node_modules/pm2/package.json"))("js-yaml") as {
  loadAll(text: string): unknown[];
};

const variables = Object.entries(allocatorEnv).map(([name, value]) => `${name}=${value}`);

describe("the systemd unit", () => {
  const unit = read("deploy/telegram-bot.service");
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1];

  test("starts the bot again for ever, except after exit code 78", () => {
    expect(setting("Restart")).toBe("always");
    expect(setting("RestartPreventExitStatus")).toBe("78");
    expect(setting("StartLimitIntervalSec")).toBe("0");
    expect(Number(setting("TimeoutStopSec"))).toBeGreaterThan(drainSeconds);
  });

  test("gives to Node.js what `npm start` gives", () => {
    expect(setting("ExecStart")?.split(" ").slice(1)).toEqual([...startOptions, "bot/start.ts"]);
    expect(setting("Environment")?.split(" ")).toEqual(variables);
  });

  test("may write to data and logs alone, and gain nothing", () => {
    expect(setting("NoNewPrivileges")).toBe("true");
    expect(setting("ProtectSystem")).toBe("strict");
    expect(setting("ReadWritePaths")).toBe("/opt/telegram-bot/data /opt/telegram-bot/logs");
    expect(setting("User")).not.toBe("root");
    expect(setting("CapabilityBoundingSet")).toBe("");
  });

  const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
  test.skipIf(!hasAnalyze)(
    `passes systemd's own checks${hasAnalyze ? "" : " (skipped: there is no systemd-analyze)"}`,
    () => {
      const directory = mkdtempSync(join(tmpdir(), "unit-"));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      const file = join(directory, "telegram-bot.service");
      // The program is not installed on this machine; everything else is verified.
      writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
      const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
      expect(verified.stderr.split("\n").filter((line) => line.includes("telegram-bot"))).toEqual(
        [],
      );
      const options = ["security", "--offline=true", "--threshold=20", "--no-pager", file];
      expect(spawnSync("systemd-analyze", options, { encoding: "utf8" })).toMatchObject({
        status: 0,
      });
    },
  );
});

describe("the Dockerfile", () => {
  const instructions = read("deploy/Dockerfile")
    .replace(/\\\n/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => /^([A-Z]+)\s+(.*)$/.exec(line)?.slice(1) as [string, string]);
  const all = (name: string) =>
    instructions.filter(([one]) => one === name).map(([, rest]) => rest);
  const lastStage = instructions.slice(instructions.map(([name]) => name).lastIndexOf("FROM"));

  test("has instructions only, from images whose major version is the pinned Node.js", () => {
    expect(instructions.every((instruction) => instruction?.length === 2)).toBe(true);
    const { optionalDependencies: pinned } = JSON.parse(read("package.json")) as {
      optionalDependencies: Record<string, string>;
    };
    const major = Object.values(pinned)[0]?.split(".")[0];
    for (const image of all("FROM")) expect(image).toMatch(new RegExp(`^node:${major}-\\S+slim`));
  });

  test("ends as a user without rights, in exec form, with the signal the bot knows", () => {
    const names = lastStage.map(([name]) => name);
    expect(names.lastIndexOf("USER")).toBeLessThan(names.indexOf("CMD"));
    expect(all("USER").at(-1)).toBe("node");
    expect(JSON.parse(all("CMD").at(-1) ?? "")).toEqual(["node", ...startOptions, "bot/start.ts"]);
    expect(all("STOPSIGNAL")).toEqual(["SIGTERM"]);
  });

  test("gives to the allocator what PM2 gives", () => {
    expect(all("ENV")[0]?.split(/\s+/)).toEqual(variables);
  });

  test("asks for life alone: a restart would not mend Telegram", () => {
    const [check = ""] = all("HEALTHCHECK");
    expect(check).toContain("/api/live");
    const command = JSON.parse(check.slice(check.indexOf("CMD") + 3)) as string[];
    const script = command.at(-1) ?? "";
    const asked = spawnSync(process.execPath, ["-e", script], {
      env: { MONITORING_PORT: "9" },
      encoding: "utf8",
    });
    expect(asked).toMatchObject({ status: 1, stderr: "" });
  });

  test("copies what there is, and no secret", () => {
    for (const copy of all("COPY").filter((line) => !line.startsWith("--from"))) {
      for (const source of copy.split(/\s+/).slice(0, -1)) {
        expect(existsSync(join(root, source)), source).toBe(true);
        expect(source).not.toMatch(/^\.$|\.env/);
      }
    }
    expect(all("ADD")).toEqual([]);
    expect([...all("ENV"), ...all("ARG")].join(" ")).not.toMatch(/TOKEN|SECRET|KEY/);
    expect(read("deploy/Dockerfile.dockerignore").split("\n")[0]).toBe("*");
  });
});

test("the compose file gives the container nothing it does not need", () => {
  const [{ services, volumes }] = loadAll(read("deploy/compose.yaml")) as [Compose];
  const { bot } = services;
  expect(Object.keys(services)).toEqual(["bot"]);
  expect(bot).toMatchObject({
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    restart: "unless-stopped",
  });
  expect(bot.privileged).toBeUndefined();
  // Nothing is published: the API listens on the container's own loopback address.
  expect(bot.ports).toBeUndefined();
  expect(Number.parseInt(bot.stop_grace_period, 10)).toBeGreaterThan(drainSeconds);
  const mounted = bot.volumes.map((volume) => volume.split(":"));
  expect(mounted.map(([name]) => name).sort()).toEqual(Object.keys(volumes).sort());
  expect(mounted.map(([, path]) => path)).toEqual([
    bot.environment["DATA_DIR"],
    bot.environment["LOG_DIR"],
  ]);
  expect(existsSync(join(root, "deploy", bot.build.context, bot.build.dockerfile))).toBe(true);
});

interface Compose {
  readonly volumes: object;
  readonly services: {
    readonly bot: {
      readonly volumes: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly stop_grace_period: string;
      readonly ports?: unknown;
      readonly privileged?: unknown;
      readonly build: { readonly context: string; readonly dockerfile: string };
    };
  };
}

describe("the Kubernetes manifest", () => {
  const [claim, deployment] = loadAll(read("deploy/kubernetes.yaml")) as [Claim, Deployment];
  const pod = deployment.spec.template.spec;
  const container = pod.containers[0] as Container;

  test("never runs two bots on one set of data", () => {
    expect(deployment.kind).toBe("Deployment");
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(claim).toMatchObject({
      kind: "PersistentVolumeClaim",
      spec: { accessModes: ["ReadWriteOnce"] },
    });
    const { volumes } = pod;
    expect(volumes.find(({ name }) => name === "data")?.persistentVolumeClaim?.claimName).toBe(
      claim.metadata.name,
    );
    expect(volumes.map(({ name }) => name).sort()).toEqual(
      container.volumeMounts.map(({ name }) => name).sort(),
    );
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds);
    const { app } = deployment.spec.selector.matchLabels;
    expect(deployment.spec.template.metadata.labels["app"]).toBe(app);
  });

  test("asks for life and for readiness apart, with programs that can fail", () => {
    const pathOf = ({ exec }: Probe) => /\/api\/\w+/.exec(exec.command.join(" "))?.[0];
    expect(pathOf(container.startupProbe)).toBe("/api/live");
    expect(pathOf(container.livenessProbe)).toBe("/api/live");
    expect(pathOf(container.readinessProbe)).toBe("/api/ready");
    for (const probe of [container.livenessProbe, container.readinessProbe]) {
      const script = (probe.exec.command.at(-1) ?? "").replace(":3001", ":9");
      expect(spawnSync(process.execPath, ["-e", script], { encoding: "utf8" })).toMatchObject({
        status: 1,
        stderr: "",
      });
    }
  });

  test("runs without rights, and takes the token from a secret", () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const token = container.env.find(({ name }) => name === "TELEGRAM_BOT_TOKEN");
    expect(token?.value).toBeUndefined();
    expect(token?.valueFrom).toBeDefined();
  });
});

describe("the Kubernetes manifest for PostgreSQL", () => {
  const [deployment, budget] = loadAll(read("deploy/kubernetes-postgres.yaml")) as [
    Deployment,
    { readonly kind: string; readonly spec: unknown },
  ];
  const pod = deployment.spec.template.spec;
  const container = pod.containers[0] as Container;

  test("runs two processes, and a new version beside the old one", () => {
    expect(deployment.spec).toMatchObject({
      replicas: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    expect(budget).toMatchObject({ kind: "PodDisruptionBudget", spec: { minAvailable: 1 } });
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds);
    // Two pods must not share a disk: a data directory has one process.
    expect(pod.volumes.filter((volume) => volume.persistentVolumeClaim)).toEqual([]);
  });

  test("gives all processes the same secrets, and no rights", () => {
    const secret = container.env.filter(({ valueFrom }) => valueFrom).map(({ name }) => name);
    expect(secret.toSorted()).toEqual([
      "DATABASE_URL",
      "ENCRYPTION_KEY",
      "RESTART_TOKEN",
      "TELEGRAM_BOT_TOKEN",
    ]);
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
  });
});

test("the compose file for PostgreSQL gives each process a disk of its own and waits for the database", () => {
  const text = read("deploy/compose.postgres.yaml").replaceAll("!override", "");
  const [{ services, volumes }] = loadAll(text) as [
    { services: Record<string, ComposeOnPostgres>; volumes: object },
  ];
  expect(Object.keys(services)).toEqual(["postgres", "bot", "bot-two"]);
  for (const name of ["bot", "bot-two"]) {
    const { depends_on, environment } = services[name] as ComposeOnPostgres;
    expect(depends_on).toEqual({ postgres: { condition: "service_healthy" } });
    expect(environment["DATABASE_URL"]).toMatch(/^postgres:.*@postgres:5432/);
  }
  const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
    volumes.map((volume) => volume.split(":")[0]),
  );
  expect(mounted.toSorted()).toEqual(Object.keys(volumes).toSorted());
});

interface ComposeOnPostgres {
  readonly depends_on?: unknown;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

interface Claim {
  readonly metadata: { readonly name: string };
}

interface Probe {
  readonly exec: { readonly command: readonly string[] };
}

interface Container {
  readonly volumeMounts: readonly { readonly name: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: object;
  readonly env: readonly { readonly name: string; readonly value?: string; valueFrom?: object }[];
}

interface Deployment {
  readonly kind: string;
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly securityContext: object;
        readonly terminationGracePeriodSeconds: number;
        readonly volumes: readonly {
          readonly name: string;
          readonly persistentVolumeClaim?: { readonly claimName: string };
        }[];
      };
    };
  };
}

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
test.skipIf(!hasShellcheck)(
  `shellcheck finds nothing in the script of deployment${hasShellcheck ? "" : " (skipped: it is not installed)"}`,
  () => {
    execFileSync("shellcheck", ["deploy-fault-tolerance.sh"], { cwd: root });
  },
);
