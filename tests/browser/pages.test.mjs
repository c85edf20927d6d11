// The pages that stand alone in a real browser: a package's listing, the report of a check, and the
// report of an upgrade.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { browser, connector, folder, harness } from "./platform.mjs";

const root = resolve(import.meta.dirname, "../..");
const axe = readFileSync(resolve(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
let chrome, pages;

before(async () => {
  pages = made();
  chrome = await browser();
});
after(() => chrome?.close());

/** Writes the pages, and gives their addresses. */
function made() {
  const home = folder();
  const cases = ["acme", "everyone-in-the-organization", "key-maker-is-no-organization-admin"];
  const fixtures = cases.flatMap((name) => ["--fixtures", join(root, "tests/fixtures", name)]);
  const build = (name) => join(root, "target/test-components", `${name}.wasm`);
  const hasBuilds = existsSync(build("example")) && existsSync(build("example-greedy"));
  const builds = hasBuilds ? [build("example"), build("example-greedy")] : [connector, connector];
  const traffic = hasBuilds ? ["--fixtures", join(root, "tests/example-connector/fixtures")] : [];
  const bill = connector.replace(/\.wasm$/, ".cdx.json");
  // An upgrade that somebody must look at ends with 1.
  const run = (...args) => { const { status, stderr } = harness(args); assert.ok(status === 0 || args[0] === "diff", stderr); };
  run("package", connector, "--output", home, "--sbom", bill, "--changelog", join(root, "CHANGELOG.md"), ...fixtures);
  run("check", connector, ...fixtures, "--html", join(home, "check.html"));
  run("diff", ...builds, ...traffic, "--html", join(home, "diff.html"));
  const [packaged] = readdirSync(home).filter((name) => name.startsWith("atlassian-cloud-"));
  const at = (...path) => pathToFileURL(join(home, ...path)).href;
  return { listing: at(packaged, "listing.html"), check: at("check.html"), diff: at("diff.html") };
}

/** A page that is opened, with everything unfolded, and what the browser complains of. */
async function opened(context, address) {
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
  page.on("request", (request) => { if (![address].includes(request.url()) && !request.url().startsWith("data:")) faults.push(request.url()); });
  await page.goto(address);
  const session = await context.newCDPSession(page);
  const run = async (expression) => (await session.send("Runtime.evaluate", { expression, awaitPromise: true })).result.value;
  await run("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
  return { page, faults, run };
}

test("no page violates its policy, loads anything, or fails axe in light, dark and forced colours", async () => {
  const found = [];
  for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { forcedColors: "active" }]) {
    const context = await chrome.newContext(options);
    for (const [name, address] of Object.entries(pages)) {
      const { faults, run } = await opened(context, address);
      await run(axe);
      const told = await run(`axe.run({runOnly: ${JSON.stringify(TAGS)}}).then((r) => JSON.stringify(r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target + " " + n.failureSummary).join("; "))))`);
      for (const fault of [...faults, ...JSON.parse(told)]) found.push(`${JSON.stringify(options)} ${name}: ${fault}`);
    }
    await context.close();
  }
  assert.deepEqual(found, []);
});

test("every page fits 320 pixels, with tables that scroll by themselves", async () => {
  const context = await chrome.newContext({ viewport: { width: 320, height: 640 } });
  for (const [name, address] of Object.entries(pages)) {
    const { run } = await opened(context, address);
    const width = await run("document.documentElement.scrollWidth");
    assert.ok(width <= 320, `${name} is ${width} wide`);
    const small = await run("[...document.querySelectorAll('nav a, summary')].filter((one) => one.getBoundingClientRect().height < 24).length");
    assert.equal(small, 0, name);
  }
  await context.close();
});

test("the keyboard leads past the navigation, and a print has what was folded", async () => {
  const context = await chrome.newContext();
  for (const [name, address] of Object.entries(pages)) {
    const page = await context.newPage();
    await page.goto(address);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(new URL(page.url()).hash, "#main", name);
    await page.emulateMedia({ media: "print" });
    const height = (media) => page.evaluate(() => document.documentElement.scrollHeight);
    const printed = await height();
    await page.emulateMedia({ media: "screen" });
    if (await page.locator("details:not([open])").count()) assert.ok(printed > await height(), name);
    assert.equal(await page.locator("header").evaluate((it) => getComputedStyle(it).display), "flex");
  }
  await context.close();
});
