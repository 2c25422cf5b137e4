import { expect, test } from "vitest";
import { Parameters } from "../../sandbox/http/parameters.ts";

const json = "application/json";
const form = "application/x-www-form-urlencoded";

function parse(query: string, contentType = "", body: string | Buffer = "") {
  return Parameters.parse(query, contentType, Buffer.from(body));
}

test.for([
  { title: "a number is its text", body: '{"a":5}', value: "5" },
  { title: "a string is itself", body: '{"a":"5"}', value: "5" },
  { title: "null is the text null", body: '{"a":null}', value: "null" },
  { title: "an object is its raw JSON", body: '{"a": {"b": [1, 2]} }', value: '{"b": [1, 2]}' },
  {
    title: "large numbers keep their digits",
    body: '{"a":12345678901234567890}',
    value: "12345678901234567890",
  },
  { title: "the first of two equal names wins", body: '{"a":1,"a":2}', value: "1" },
  { title: "escapes are decoded", body: '{"a":"\\u00e9\\n\\"\\\\"}', value: 'é\n"\\' },
  { title: "what comes before a mistake counts", body: '{"a":"x","b":', value: "x" },
  { title: "a mistake in the value itself does not", body: '{"a":tru}', value: undefined },
  { title: "braces inside of strings are text", body: '{"b":["}]"],"a":1}', value: "1" },
  { title: "an array at the top is nothing", body: '[{"a":1}]', value: undefined },
  { title: "rubbish is nothing", body: "\u0000{{{", value: undefined },
])("JSON: $title", ({ body, value }) => {
  expect(parse("", json, body).raw("a")).toBe(value);
});

test("a bare JSON string is the parameter content", () => {
  expect(parse("", json, '"hello"').raw("content")).toBe("hello");
});

test.for([
  { title: "plus and escapes", body: "a=1+2%26%C3%A9", value: "1 2&é" },
  { title: "a broken escape stays", body: "a=100%zz", value: "100%zz" },
  { title: "no equals sign", body: "a", value: "" },
  { title: "empty pairs are skipped", body: "&&a=x&&", value: "x" },
  { title: "raw UTF-8", body: "a=é", value: "é" },
])("form: $title", ({ body, value }) => {
  expect(parse("", form, body).raw("a")).toBe(value);
});

test("the query string comes first", () => {
  expect(parse("a=query", json, '{"a":"body","b":"body"}').raw("a")).toBe("query");
  expect(parse("a=query", json, '{"a":"body","b":"body"}').raw("b")).toBe("body");
});

test("a body of an unknown type is ignored", () => {
  expect(parse("a=1", "text/plain", "a=2&b=3").raw("b")).toBeUndefined();
});

test.for([
  ["", 0],
  ["12", 12],
  ["-7x", -7],
  ["3.9", 3],
  ["x12", 0],
  ["true", 0],
] as const)("the integer in %j is %j", ([text, value]) => {
  expect(parse(`n=${text}`).integer("n")).toBe(value);
});

test.for([
  ["true", true],
  ["%20YES%20", true],
  ["1", true],
  ["2", false],
  ["on", false],
  ["", false],
] as const)("the truth value of %j is %j", ([text, value]) => {
  expect(parse(`b=${text}`).boolean("b")).toBe(value);
});

test("multipart fields and files are told apart by their file name", () => {
  const body = [
    '--XX\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n42',
    '\r\n--XX\r\ncontent-disposition: form-data; name="photo"; filename="a \\"b\\".png"\r\n',
    "Content-Type: image/png\r\n\r\n\x00\x01--XX\x02\r\n--XX--\r\n",
  ].join("");
  const parameters = parse("", 'multipart/form-data; boundary="XX"', body);
  expect(parameters.raw("chat_id")).toBe("42");
  expect(parameters.file("photo")?.fileName).toBe('a "b".png');
  expect(parameters.file("photo")?.content.toString("latin1")).toBe("\x00\x01--XX\x02");
  expect(parameters.forJournal()["photo"]).toBe('[file a "b".png, 7 bytes]');
});

test.for([
  { title: "no boundary in the header", type: "multipart/form-data", body: "--X--", status: 400 },
  {
    title: "no boundary in the body",
    type: "multipart/form-data; boundary=X",
    body: "Y",
    status: 400,
  },
  {
    title: "a part without end",
    type: "multipart/form-data; boundary=X",
    body: '--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
    status: 400,
  },
  {
    title: "a part without a name",
    type: "multipart/form-data; boundary=X",
    body: "--X\r\nContent-Disposition: form-data\r\n\r\n1\r\n--X--",
    status: 400,
  },
  {
    title: "51 files",
    type: "multipart/form-data; boundary=X",
    body: `${'--X\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n1\r\n'.repeat(51)}--X--`,
    status: 413,
  },
  {
    title: "more than 1 MiB of parameters",
    type: json,
    body: `{"a":"${"x".repeat(2 ** 20)}"}`,
    status: 413,
  },
])("refused with $status: $title", ({ type, body, status }) => {
  expect(() => parse("", type, body)).toThrow(expect.objectContaining({ status }));
});

test("bytes that are not UTF-8 are noticed, a replacement character that was sent is not", () => {
  const broken = parse(
    "",
    json,
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
  );
  expect(() => broken.text("a")).toThrow("Bad Request: strings must be encoded in UTF-8");
  expect(() => parse("a=%ff").text("a")).toThrow("strings must be encoded in UTF-8");
  expect(() => parse("", json, '{"a":"\\ud800"}').text("a")).toThrow("UTF-8");
  expect(parse("", json, '{"a":"\uFFFD"}').text("a")).toBe("\uFFFD");
});

test("the journal's copy is bounded", () => {
  const many = Array.from({ length: 100 }, (_, number) => `p${number}=${"x".repeat(5_000)}`);
  const record = parse(many.join("&")).forJournal();
  expect(Object.keys(record).length).toBeLessThanOrEqual(32);
  expect(record["p0"]?.length).toBeLessThanOrEqual(1_025);
});
