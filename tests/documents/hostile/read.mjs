// Reads pages.md with marked and with micromark, and writes each page as HTML twice, separated by
// form feeds. Exit code 77: they are not installed beside this file.
import { readFileSync } from "node:fs";

let marked, micromark, gfm, gfmHtml;
try {
  ({ marked } = await import("marked"));
  ({ micromark } = await import("micromark"));
  ({ gfm, gfmHtml } = await import("micromark-extension-gfm"));
} catch {
  process.exit(77);
}
const pages = readFileSync(new URL("pages.md", import.meta.url), "utf8").split("\n\f\n");
const html = [];
for (const page of pages) {
  html.push(marked.parse(page, { gfm: true }));
  html.push(
    micromark(page, {
      allowDangerousHtml: true,
      allowDangerousProtocol: true,
      extensions: [gfm()],
      htmlExtensions: [gfmHtml({ tagfilter: false })],
    }),
  );
}
process.stdout.write(html.join("\f"));
