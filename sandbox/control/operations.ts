/** Operations: the names of the control API and their addresses, the same for server and client. */
import type { SandboxControl } from "../control-api.ts";

const table: { readonly [Name in keyof SandboxControl]: "read" | "change" } = {
  describe: "read",
  createUser: "change",
  createGroup: "change",
  users: "read",
  chats: "read",
  messages: "read",
  write: "change",
  attach: "change",
  edit: "change",
  erase: "change",
  suggestPost: "change",
  createStickerSet: "change",
  press: "change",
  invoice: "read",
  ship: "change",
  shippingOptions: "read",
  pay: "change",
  react: "change",
  reactions: "read",
  vote: "change",
  markTasks: "change",
  addTasks: "change",
  invitation: "read",
  join: "change",
  setMember: "change",
  setPersonalChat: "change",
  addBot: "change",
  askInline: "change",
  inlineResults: "read",
  inlineButton: "read",
  chooseResult: "change",
  connectBusiness: "change",
  writeBusiness: "change",
  boost: "change",
  giveStars: "change",
  buyMedia: "change",
  manageBot: "change",
  inject: "change",
  feed: "change",
  journal: "read",
  facts: "read",
  violations: "read",
  faults: "read",
  addFault: "change",
  removeFault: "change",
  clearFaults: "change",
  playScenario: "change",
  stopScenario: "change",
  scenario: "read",
  scenarios: "read",
  setAccess: "change",
  migrate: "change",
  advanceClock: "change",
  queue: "read",
  jumpUpdateId: "change",
  redeliver: "change",
  expireQueries: "change",
  revokeToken: "change",
  outage: "change",
  changes: "read",
  webApp: "change",
  login: "read",
  botProfile: "read",
};

export type OperationName = keyof SandboxControl;

export const operationNames = Object.keys(table) as readonly OperationName[];

/** The operation at an address, and whether GET may call it. */
export function operationAt(path: string): { name: OperationName; read: boolean } | undefined {
  return byPath.get(path);
}

/** `createUser` is at `/sandbox/create-user`. */
export function controlPath(name: string): string {
  return `/sandbox/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

const byPath = new Map(
  operationNames.map((name) => [controlPath(name), { name, read: table[name] === "read" }]),
);
