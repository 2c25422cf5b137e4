/** The address of a database, as it may be shown. */
import { expect, test } from "vitest";
import { Secret } from "../../../bot/core/secret.ts";
import { withoutPassword } from "../../../bot/storage/postgres/database-address.ts";

test.each([
  ["postgres://bot:pass@db.example.org/shop", "postgres://bot@db.example.org/shop"],
  ["postgresql://bot:pass@db:5433/shop?sslmode=require", "postgres://bot@db:5433/shop"],
  ["postgres://db/shop", "postgres://db/shop"],
  ["postgres://bot@/shop?host=/run/pg&password=pass", "postgres://bot@/run/pg/shop"],
  ["postgres://bot:pass@/shop?host=/run/pg", "postgres://bot@/run/pg/shop"],
  ["postgres://bot:pa@ss@db/shop", "postgres://bot@db/shop"],
  ["postgres://bot:1/pass@db/shop", "the database of DATABASE_URL"],
  ["postgres://bot:pa/ss@db/shop", "the database of DATABASE_URL"],
  ["postgres://bot:pa?ss@db/shop", "the database of DATABASE_URL"],
  ["postgres://bot:p#ass@db/shop", "the database of DATABASE_URL"],
  ["postgres://bot:pass@one:1,two:2/shop", "the database of DATABASE_URL"],
])("%s is shown as %s", (url, shown) => {
  expect(withoutPassword(new Secret(url))).toBe(shown);
});
