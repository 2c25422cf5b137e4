/**
 * The parsers against a model of the documented grammar.
 *
 * A generated document is written in each style; what the parser makes of it must say the same of every
 * character as the document itself. Source: Bot API, Formatting options.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatText } from "../../sandbox/text/formatted-text.ts";
import type { Entity } from "../../sandbox/world/objects.ts";

type Mark = "bold" | "italic" | "underline" | "strikethrough" | "spoiler";

type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "mark"; readonly mark: Mark; readonly inside: readonly Inline[] }
  | { readonly kind: "link"; readonly url: string; readonly inside: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "pre"; readonly language: string; readonly text: string };

interface Block {
  readonly quote: boolean;
  readonly inside: readonly Inline[];
}

/** No sign of a command, a name or an address is among them, because those would be detected. */
const signs = [..."abz é😀_*[]()~`>+-=|{}.!<&\"'\\"];
const words = fc
  .string({ unit: fc.constantFrom(...signs), maxLength: 6 })
  .map((text) => `x${text}y`);
const lines = fc.array(words, { minLength: 1, maxLength: 2 }).map((parts) => parts.join("\n"));
const urls = fc.constantFrom("https://e.com/a?b=1&c=2", "https://e.com/a(b)c\\d", "tg://user?id=7");
const languages = fc.constantFrom("", "ts", "c++");

const marks: readonly Mark[] = ["bold", "italic", "underline", "strikethrough", "spoiler"];

/** Text stands between any two others: `_a__b_` is no documented way to write two italic words. */
function inlines(depth: number, used: readonly string[]): fc.Arbitrary<readonly Inline[]> {
  const text = lines.map((value): Inline => ({ kind: "text", text: value }));
  const leaves = [
    words.map((value): Inline => ({ kind: "code", text: value })),
    fc.record({ language: languages, text: lines }).map((pre): Inline => ({ kind: "pre", ...pre })),
  ];
  const nodes: fc.Arbitrary<Inline>[] = [...leaves];
  if (depth > 0) {
    for (const mark of marks.filter((one) => !used.includes(one))) {
      const inside = inlines(depth - 1, [...used, mark]);
      nodes.push(inside.map((children): Inline => ({ kind: "mark", mark, inside: children })));
    }
    if (!used.includes("link")) {
      const inside = inlines(depth - 1, [...used, "link"]);
      nodes.push(
        fc.record({ url: urls, inside }).map((link): Inline => ({ kind: "link", ...link })),
      );
    }
  }
  return fc
    .record({ first: text, more: fc.array(fc.tuple(fc.oneof(...nodes), text), { maxLength: 3 }) })
    .map(({ first, more }) => [first, ...more.flat()]);
}

const documents = fc
  .array(fc.tuple(inlines(3, []), fc.option(inlines(2, []), { nil: undefined })), {
    minLength: 1,
    maxLength: 2,
  })
  .map((pairs) =>
    pairs.flatMap(([inside, quoted]): Block[] => [
      { quote: false, inside },
      ...(quoted ? [{ quote: true, inside: quoted }] : []),
    ]),
  );

/** What holds of each character. */
function meaning(blocks: readonly Block[]) {
  const letters: { letter: string; covers: readonly string[] }[] = [];
  const add = (text: string, covers: readonly string[]) => {
    for (const letter of text.split("")) letters.push({ letter, covers: [...covers].sort() });
  };
  const walk = (nodes: readonly Inline[], covers: readonly string[]) => {
    for (const node of nodes) {
      if (node.kind === "text") add(node.text, covers);
      else if (node.kind === "mark") walk(node.inside, [...covers, node.mark]);
      else if (node.kind === "link") walk(node.inside, [...covers, `text_link ${node.url}`]);
      else {
        // Code is part of a quote only; of a link around it the link remains, because it is whole.
        const link = covers.find((one) => one.startsWith("text_link"));
        const quotes = covers.filter((one) => one === "blockquote");
        const name = node.kind === "code" ? "code" : `pre ${node.language}`.trim();
        add(node.text, link ? covers : [...quotes, name]);
      }
    }
  };
  blocks.forEach(({ inside, quote }, index) => {
    if (index > 0) add("\n", []);
    walk(inside, quote ? ["blockquote"] : []);
  });
  return letters;
}

function said({ entities, text }: { text: string; entities: readonly Entity[] }) {
  return text.split("").map((letter, at) => ({
    letter,
    covers: entities
      .filter(({ length, offset }) => offset <= at && at < offset + length)
      .map(({ language = "", type, url = "" }) => `${type} ${url}${language}`.trim())
      .sort(),
  }));
}

function html(nodes: readonly Inline[]): string {
  const escaped = (text: string) =>
    text.replace(/[<&"]/g, (sign) => ({ "<": "&lt;", "&": "&amp;" })[sign] ?? "&quot;");
  const tags = {
    bold: "b",
    italic: "em",
    underline: "ins",
    strikethrough: "del",
    spoiler: "tg-spoiler",
  };
  return nodes
    .map((node) => {
      if (node.kind === "text") return escaped(node.text);
      if (node.kind === "code") return `<code>${escaped(node.text)}</code>`;
      if (node.kind === "mark")
        return `<${tags[node.mark]}>${html(node.inside)}</${tags[node.mark]}>`;
      if (node.kind === "link") return `<a href="${escaped(node.url)}">${html(node.inside)}</a>`;
      const inside = escaped(node.text);
      if (node.language === "") return `<pre>${inside}</pre>`;
      return `<pre><code class="language-${node.language}">${inside}</code></pre>`;
    })
    .join("");
}

function markdownV2(nodes: readonly Inline[]): string {
  const escaped = (text: string) => text.replace(/[_*[\]()~`>#+\-=|{}.!\\]/g, "\\$&");
  const signsOf = { bold: "*", italic: "_", underline: "__", strikethrough: "~", spoiler: "||" };
  const verbatim = (text: string) => text.replace(/[`\\]/g, "\\$&");
  return nodes
    .map((node) => {
      if (node.kind === "text") return escaped(node.text);
      if (node.kind === "code") return `\`${verbatim(node.text)}\``;
      if (node.kind === "pre") return `\`\`\`${node.language}\n${verbatim(node.text)}\`\`\``;
      const inside = markdownV2(node.inside);
      if (node.kind === "mark") return signsOf[node.mark] + inside + signsOf[node.mark];
      return `[${inside}](${node.url.replace(/[)\\]/g, "\\$&")})`;
    })
    .join("");
}

function hasPre(nodes: readonly Inline[]): boolean {
  return nodes.some((node) => node.kind === "pre" || ("inside" in node && hasPre(node.inside)));
}

test("HTML says of every character what the document says", () => {
  fc.assert(
    fc.property(documents, (blocks) => {
      const raw = blocks
        .map(({ inside, quote }) =>
          quote ? `<blockquote>${html(inside)}</blockquote>` : html(inside),
        )
        .join("\n");
      expect(said(formatText(raw, "HTML", undefined))).toEqual(meaning(blocks));
    }),
    { numRuns: 1_000 },
  );
});

test("MarkdownV2 says of every character what the document says", () => {
  // In a quote each line begins with its sign, also inside of a block of code, which cannot have it.
  const writable = documents.filter((blocks) =>
    blocks.every(({ inside, quote }) => !quote || !hasPre(inside)),
  );
  fc.assert(
    fc.property(writable, (blocks) => {
      const raw = blocks
        .map(({ inside, quote }) => {
          const written = markdownV2(inside);
          return quote ? `>${written.replaceAll("\n", "\n>")}` : written;
        })
        .join("\n");
      expect(said(formatText(raw, "MarkdownV2", undefined))).toEqual(meaning(blocks));
    }),
    { numRuns: 1_000 },
  );
});

test("Markdown says of every character what the document says", () => {
  const plain = fc.stringMatching(/^x[a-z é😀.!()~|]{0,6}y$/u);
  const parts = fc.array(
    fc.oneof(
      lines.map((text) => ({ raw: text.replace(/[_*`[]/g, "\\$&"), text, type: "" })),
      plain.map((text) => ({ raw: `*${text}*`, text, type: "bold" })),
      plain.map((text) => ({ raw: `_${text}_`, text, type: "italic" })),
      plain.map((text) => ({ raw: `\`${text}\``, text, type: "code" })),
      plain.map((text) => ({ raw: `\`\`\`ts\n${text}\`\`\``, text, type: "pre ts" })),
      plain.map((text) => ({
        raw: `[${text}](https://e.com/?a=1)`,
        text,
        type: "text_link https://e.com/?a=1",
      })),
    ),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(parts, (given) => {
      const raw = given.map((part) => part.raw).join(" ");
      const meant = given.flatMap(({ text, type }, index) => [
        ...(index > 0 ? [{ letter: " ", covers: [] }] : []),
        ...text.split("").map((letter) => ({ letter, covers: type === "" ? [] : [type] })),
      ]);
      expect(said(formatText(raw, "Markdown", undefined))).toEqual(meant);
    }),
    { numRuns: 1_000 },
  );
});

test("entities that were given in any order nest, are merged, and lose no character", () => {
  const text = "0123456789";
  const range = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 10 }));
  const given = fc.array(
    fc
      .tuple(fc.constantFrom(...marks, "code", "blockquote", "text_link"), range)
      .map(([type, [offset, length]]) => ({
        type,
        offset,
        length: Math.min(length, 10 - offset),
        ...(type === "text_link" ? { url: "https://e.com/" } : {}),
      })),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(given, (entities) => {
      const settled = formatText(text, "", entities).entities;
      for (const a of settled) {
        for (const b of settled) {
          if (a === b) continue;
          const [aEnd, bEnd] = [a.offset + a.length, b.offset + b.length];
          const apart = aEnd <= b.offset || bEnd <= a.offset;
          const inside =
            (a.offset >= b.offset && aEnd <= bEnd) || (b.offset >= a.offset && bEnd <= aEnd);
          expect(apart || inside).toBe(true);
          if (a.type === b.type) expect(apart).toBe(true);
          if (a.type === "code" && !apart) expect(b.type).toBe("blockquote");
        }
      }
      const isCode = (at: number) =>
        settled.some(
          ({ length, offset, type }) => type === "code" && offset <= at && at < offset + length,
        );
      for (const mark of marks) {
        const covered = (
          list: readonly { type: string; offset: number; length: number }[],
          at: number,
        ) =>
          list.some(
            ({ length, offset, type }) => type === mark && offset <= at && at < offset + length,
          );
        for (let at = 0; at < 10; at++) {
          expect(covered(settled, at)).toBe(covered(entities, at) && !isCode(at));
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
