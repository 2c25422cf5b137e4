/** Addresses: DATABASE_URL may name several hosts, of which the primary is used. */
import { expect, test } from "vitest";
import { Secret } from "../../../bot/core/secret.ts";
import { addressesOf } from "../../../bot/storage/postgres/addresses.ts";
import { Connection } from "../../../bot/storage/postgres/connection.ts";
import { noPostgres, orSkipped, postgresUrl } from "../../support/postgres.ts";

test.each([
  ["postgres://a:b@one/d", ["postgres://a:b@one/d"]],
  ["postgres://one:1,two:2/d?x=1,2", ["postgres://one:1/d?x=1,2", "postgres://two:2/d?x=1,2"]],
  [
    "postgresql://a:b,c@one,two:5433,three/d",
    ["postgresql://a:b,c@one/d", "postgresql://a:b,c@two:5433/d", "postgresql://a:b,c@three/d"],
  ],
  ["postgres://a@/d?host=/run/one", ["postgres://a@/d?host=/run/one"]],
])("%s", (url, addresses) => {
  expect(addressesOf(url)).toEqual(addresses);
});

/** The same server by one host or several: a socket's directory may stand where a host stands. */
async function urlWith(...hosts: readonly string[]): Promise<Secret> {
  const [, directory = "127.0.0.1"] = /[?&]host=([^&]+)/.exec(await postgresUrl()) ?? [];
  const socket = encodeURIComponent(directory);
  return new Secret(`postgres://postgres@${[...hosts, socket].join(",")}/postgres`);
}

const settings = { settings: {}, schema: "public" };

test.skipIf(noPostgres)(
  `a host that is away does not keep from the others${orSkipped}`,
  async () => {
    const connection = await Connection.open({ ...settings, url: await urlWith("127.0.0.1:1") });
    expect(await connection.all("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await connection.end();
  },
);

test("where no host answers the session is lost, which is tried again", async () => {
  const url = new Secret("postgres://a:b@127.0.0.1:1,127.0.0.1:2/d");
  await expect(Connection.open({ ...settings, url })).rejects.toMatchObject({
    code: "STORAGE_SESSION_LOST",
    transient: true,
  });
});
