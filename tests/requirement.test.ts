/** Requirement: what the documents say about it is true of the repository. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { routeTable } from "../bot/api/route-table.ts";
import { exitCode } from "../bot/core/exit-code.ts";
import { FaultToleranceManager } from "../bot/utils/fault-tolerance-manager.ts";
import { HealthMonitor } from "../bot/utils/health-monitor.ts";
import { BotLogger } from "../bot/utils/logger.ts";
import { MessageQueue } from "../bot/utils/message-queue.ts";
import { ProcessMonitor } from "../bot/utils/process-monitor.ts";
import { ReconnectManager } from "../bot/utils/reconnect-manager.ts";
import { allFaults } from "../lab/drill/faults/all.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");

/** The requirement's parts, and how many items each has. */
const itemsOf: Readonly<Record<string, number>> = {
  "已实现的组件 · 1. 核心容错组件": 6,
  "已实现的组件 · 2. 配置和管理": 3,
  "已实现的组件 · 3. 增强的 Bot 核心": 3,
  "已实现的组件 · 4. 部署工具": 2,
  "核心功能实现 · 1. 错误重连逻辑和健康检查": 6,
  "核心功能实现 · 2. 单进程运行容错机制": 5,
  "核心功能实现 · 3. 消息队列和重试机制": 5,
  "核心功能实现 · 4. 进程监控和自动重启": 10,
  "核心功能实现 · 5. 日志记录和错误报告": 7,
  "监控端点 · HTTP API 接口": 6,
  "监控端点 · 响应示例": 1,
  "部署指南 · 快速部署": 3,
  "部署指南 · PM2 部署": 3,
  测试验证: 8,
  "性能指标 · 资源使用优化": 4,
  "性能指标 · 处理能力": 4,
  "安全特性 · 访问控制": 3,
  "安全特性 · 数据保护": 3,
  "关键改进 · 原有 Bot 增强 · 1. 命令处理增强": 3,
  "关键改进 · 原有 Bot 增强 · 2. 启动流程改进": 3,
  "关键改进 · 原有 Bot 增强 · 3. 监控集成": 3,
  "关键改进 · 新增功能 · 1. HTTP 监控接口": 3,
  "关键改进 · 新增功能 · 2. 自动恢复机制": 3,
  "关键改进 · 新增功能 · 3. 详细日志系统": 3,
  部署状态: 3,
  使用示例: 6,
  总结: 6,
};

/** A part is a heading and its table; a row has an item, where it is implemented, and what proves it. */
const parts = read("docs/requirement.md")
  .split(/^## /m)
  .slice(1)
  .map((part) => {
    const [title = "", ...lines] = part.split("\n");
    const rows = lines.filter((line) => /^\| (?!Item \|)/.test(line)).map(readRow);
    return { title, rows };
  });
const rows = parts.flatMap((part) => part.rows);

function readRow(line: string) {
  const cells = line.slice(2, -2).split(" | ");
  expect(cells, line).toHaveLength(3);
  const [item = "", where = "", proof = ""] = cells;
  return { item, where, proof };
}

const inTicks = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
const isPath = (code: string) => /^[^\s()]+\.(?:ts|js|json|yml|md|sh|example)$/.test(code);
const commandsOf = (proof: string) => inTicks(proof).filter((code) => code.startsWith("npm run "));

/** Every test that a proof names, with its file. */
function citedTests(proof: string): readonly { path: string; name: string }[] {
  return proof.split("; ").flatMap((cited) => {
    const [path = ""] = inTicks(cited);
    return [...cited.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => ({ path, name }));
  });
}

describe("the requirement's table", () => {
  test("has every part of the requirement, with every item, once", () => {
    expect(parts.map(({ rows, title }) => [title, rows.length])).toEqual(Object.entries(itemsOf));
    for (const { rows, title } of parts) {
      expect(new Set(rows.map(({ item }) => item)).size, title).toBe(rows.length);
    }
  });

  test("names files that exist, at least one for each item", () => {
    const homeless = rows.filter(({ where }) => !inTicks(where).some(isPath));
    const named = rows.flatMap(({ item, proof, where }) => [
      ...inTicks(`${where} ${proof}`).filter(isPath),
      ...inTicks(item).filter((code) => isPath(code) && code.includes("/")),
    ]);
    expect(homeless).toEqual([]);
    expect(named.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
  });

  test("names tests that stand in their files, and commands that are there", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const missing = rows
      .flatMap(({ proof }) => citedTests(proof))
      .filter(({ name, path }) => {
        const source = existsSync(`${root}/${path}`) ? read(path) : "";
        return ![`"${name}"`, `\`${name}\``].some((literal) => source.includes(literal));
      });
    const commands = rows.flatMap(({ proof }) => commandsOf(proof));
    const faults = commands.flatMap(
      (command) => /--only (\S+)/.exec(command)?.[1]?.split(",") ?? [],
    );
    expect(missing).toEqual([]);
    expect(faults.length).toBeGreaterThan(0);
    expect(allFaults.map(({ name }) => name)).toEqual(expect.arrayContaining(faults));
    expect(commands.filter((command) => !scripts[command.split(" ")[2] ?? ""])).toEqual([]);
  });

  test("has a proof for each item", () => {
    const bare = rows.filter(
      ({ proof }) => [...citedTests(proof), ...commandsOf(proof)].length < 1,
    );
    expect(bare).toEqual([]);
  });
});

test.each([
  [ReconnectManager, ["attemptReconnect", "calculateReconnectDelay", "executeReconnect"]],
  [HealthMonitor, ["getHealthStatus", "runAllChecks", "generateHealthReport"]],
  [ProcessMonitor, ["startMonitoring", "isMemoryUsageHigh", "isCpuUsageHigh", "triggerRestart"]],
  [MessageQueue, ["addMessage", "insertMessageByPriority", "scheduleRetry"]],
  [BotLogger, ["business", "performance", "security"]],
  [FaultToleranceManager, ["start", "drain", "stop", "restart"]],
])("%o has the methods that the requirement names", ({ prototype }, methods) => {
  expect(Object.getOwnPropertyNames(prototype)).toEqual(expect.arrayContaining(methods));
});

test("the requirement's commands run in bot/ as it writes them", () => {
  const run = (...words: string[]) =>
    execFileSync(process.execPath, words, { cwd: `${root}/bot`, encoding: "utf8" });
  expect(run("start.ts", "--help")).toContain("TELEGRAM_BOT_TOKEN");
  expect(run("test-fault-tolerance.ts", "--list")).toContain("kill-at-random");
});

test("the Chinese guide names every endpoint, every command of ours and every exit code", () => {
  const guide = read("bot容错机制实现报告.md");
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const own = Object.keys(scripts).filter((name) => !["prestart", "start", "test"].includes(name));
  const wanted = [
    ...routeTable.map(({ method, path }) => `${method.toUpperCase()} ${path}`),
    ...own.map((name) => `npm run ${name}`),
    ...Object.values(exitCode).map((code) => `| ${code} |`),
  ];
  expect(wanted.length).toBeGreaterThan(40);
  expect(wanted.filter((text) => !guide.includes(text))).toEqual([]);
});
