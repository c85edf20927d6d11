// Starts the real programs for a test: the mock organization, the platform, and a browser. All of
// them end with the test.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const root = resolve(import.meta.dirname, "../..");
const binaries = process.env.SMP_BINARIES ?? join(root, "target/release");
export const connector = process.env.SMP_CONNECTOR ?? join(root, "dist/atlassian-cloud.wasm");
const browserPath = process.env.SMP_CHROMIUM ?? "/usr/bin/chromium";

const program = (name) => join(binaries, name);
const rest = new Set();
process.on("exit", () => rest.forEach((child) => child.kill("SIGKILL")));

function started(name, args, options = {}) {
  const child = spawn(program(name), args, { stdio: ["pipe", "pipe", "inherit"], ...options });
  rest.add(child);
  child.on("exit", () => rest.delete(child));
  return child;
}

const ended = (child) =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((done) => child.once("exit", done));

/** An organization over HTTP. */
export async function mock(args = []) {
  const child = started("atlassian-mock", [...args, "--until-stdin-closes"]);
  const told = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const [name, ...value] = line.split("=");
    told[name] = value.join("=");
    if (name === "api-key") break;
  }
  const { url, "organization-id": organization, "api-key": key } = told;
  return {
    url, organization, key, port: Number(new URL(url).port),
    async stop() { child.kill("SIGTERM"); await ended(child); },
  };
}

/** A folder of a test. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "smp-console-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Installs a connector in a store. */
export function install(data, file = connector, ...posts) {
  const grants = posts.flatMap((post) => ["--grant", post]);
  const done = spawnSync(program("smp-platform"), ["connector", "install", file, ...grants, "--data", data], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
}

/** Runs a command of the harness. */
export function harness(args, env = {}) {
  return spawnSync(program("smp-harness"), args, { encoding: "utf8", env: { ...process.env, ...env }, maxBuffer: 1 << 28 });
}

/** The platform on a store. Behind a proxy that ends TLS, `send` is a `fetch` that trusts it. */
export async function platform(data, upstreams, {
  token: known, listen = "127.0.0.1:0", args = [], env = {}, send = fetch,
} = {}) {
  const allowed = upstreams.flatMap((url) => ["--allow-upstream", url]);
  const all = ["serve", "--json", "--data", data, "--listen", listen, ...allowed, ...args];
  const child = started("smp-platform", all, { env: { ...process.env, ...env } });
  let line = "";
  for await (line of createInterface({ input: child.stdout })) break;
  const told = JSON.parse(line);
  const bearer = known ?? told.token;
  const api = async (method, path, body) => {
    const headers = { authorization: `Bearer ${bearer}` };
    const answer = await send(told.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
  return {
    url: told.url, port: Number(told.listen.split(":").at(-1)),
    link: told.console, token: bearer, api, pid: child.pid,
    async kill() { child.kill("SIGKILL"); await ended(child); },
    async stop() { child.kill("SIGTERM"); await ended(child); },
    /** Another link, for another browser. */
    async again() {
      const answer = await send(`${told.url}/console/links`, { method: "POST", headers: { authorization: `Bearer ${bearer}` } });
      return told.url + (await answer.json()).console;
    },
    /** Connects a tenant to a mock. */
    async connect(tenant, mock, more = {}) {
      const made = await api("POST", "/api/v1/connections", {
        tenant, connector: "atlassian-cloud", settings: { "organization-id": mock.organization },
        secrets: { "api-key": mock.key }, upstream: mock.url, ...more,
      });
      return made.id;
    },
    /** Waits for the end of the last run of a connection, or of one that is asked for now. */
    async collected(id, ask = false) {
      if (ask) await api("POST", `/api/v1/connections/${id}/runs`);
      return until(async () => {
        const run = (await api("GET", `/api/v1/connections/${id}/runs?limit=1`)).data[0];
        return run && !["open", "waiting"].includes(run.state) ? run : null;
      });
    },
  };
}

/** Asks again until there is an answer. */
export async function until(ask, patience = 60_000) {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error("it did not come in time");
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A browser of the machine. */
export async function browser(args = []) {
  if (!existsSync(browserPath)) throw new Error(`there is no ${browserPath}`);
  return chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", ...args] });
}

/** Enters by a link: it is used by its button alone. */
export async function enter(page, link) {
  await page.goto(link);
  await page.click("button.main");
  await page.waitForURL(/\/connections$/);
}

/** A page whose violations of the policy, faults and requests to elsewhere are collected. */
export async function watched(context, home) {
  const page = await context.newPage();
  const seen = { violations: [], elsewhere: [], requests: [], bytes: 0 };
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`violation ${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on("console", (message) => {
    if (message.type() === "error") seen.violations.push(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => seen.violations.push(String(error)));
  page.on("request", (request) => {
    seen.requests.push(request.url());
    if (new URL(request.url()).host !== new URL(home).host) seen.elsewhere.push(request.url());
  });
  return { page, seen };
}

/** All that the memory of a page's scripts holds, after what is not needed was dropped. */
export async function heap(page) {
  const session = await page.context().newCDPSession(page);
  const parts = [];
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => parts.push(chunk));
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  await session.detach();
  return parts.join("");
}
