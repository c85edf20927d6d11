// Writes the pictures of the console in docs/console, from the made-up organization.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { browser, enter } from "./platform.mjs";
import { pages, story } from "./story.mjs";

const folder = process.env.SMP_PICTURES ?? resolve(import.meta.dirname, "../../docs/console");
const wanted = (process.env.SMP_WIDTHS ?? "1280").split(",").map(Number);
mkdirSync(folder, { recursive: true });
const told = await story();
const chrome = await browser();
for (const colorScheme of ["light", "dark"]) {
  for (const width of wanted) {
    const context = await chrome.newContext({ colorScheme, viewport: { width, height: 860 }, locale: "en-GB", timezoneId: "UTC" });
    const page = await context.newPage();
    await enter(page, await told.site.again());
    const home = page.url().replace(/\/connections$/, "");
    for (const [name, path] of Object.entries(pages(told.connection, told.runs))) {
      await page.goto(home + path);
      await page.waitForSelector(".scripted");
      const suffix = wanted.length > 1 ? `-${width}` : "";
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}${suffix}.png`, fullPage: wanted.length > 1 });
    }
    await context.close();
  }
}
await chrome.close();
await told.site.stop();
await told.organization.stop();
