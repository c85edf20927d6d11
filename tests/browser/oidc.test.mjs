// Sign-in by OpenID Connect in a real browser: the real program behind a proxy that ends TLS, and a
// stand-in for the issuer over TLS. Their certificates are of a throw-away authority.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { browser, folder, heap, install, mock, platform, watched } from "./platform.mjs";
import { issuer } from "./issuer.mjs";
import { certificates, proxy, sender } from "./tls.mjs";

const axe = readFileSync(resolve(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const [CLIENT, ALONE] = ["smp", "smp-without-secret"];
const [WIDE, NARROW] = [1280, 320].map((width) => ({ viewport: { width, height: 640 } }));
// Signs that a form writes in another way: client and issuer must agree on how.
const SECRET = "a secret: +/=&% of this client";

const PEOPLE = {
  ann: { groups: ["staff", "admin:acme"] },
  vic: { groups: ["staff", "viewer:acme"] },
  olga: { groups: "admin" },
  // Known to the issuer, and nobody here.
  stan: { groups: ["staff"] },
  tess: { groups: ["viewer:acme", "admin:other"] },
  // Tokens that are not for this visit.
  nora: { groups: "admin", nonce: "of another visit" },
  otto: { groups: "admin", aud: "another client" },
};

let chrome, made, people, organization, relays, site, alone, own, other;

before(async () => {
  made = certificates();
  chrome = await browser([made.option]);
  relays = [await proxy(made), await proxy(made)];
  const [client, single] = relays.map((relay) => ({ back: `${relay.url}/console/oidc/back` }));
  const clients = { [CLIENT]: { ...client, secret: SECRET }, [ALONE]: { ...single, secret: null } };
  people = await issuer(made, { people: PEOPLE, clients, scope: "openid groups" });
  organization = await mock(["--members", "20"]);
  const start = async (place, id, ...more) => {
    const data = folder();
    install(data);
    const started = await platform(data, [organization.url], {
      args: [
        "--public-url", relays[place].url, "--oidc-issuer", people.url, "--oidc-client", id,
        "--oidc-claim", "groups", "--oidc-scope", "groups", ...more,
      ],
      env: { SSL_CERT_FILE: made.file, SMP_OIDC_SECRET: SECRET, RUST_LOG: "error" },
      send: sender(made),
    });
    relays[place].leads(started.port);
    return started;
  };
  site = await start(0, CLIENT, "--oidc-secret", "env:SMP_OIDC_SECRET");
  alone = await start(1, ALONE);
  own = await site.connect("acme", organization, { name: "Own" });
  other = await site.connect("other", organization, { name: "Other" });
  await site.collected(own);
  await site.collected(other);
});
after(async () => {
  await chrome?.close();
  await site?.stop();
  await alone?.stop();
  await organization?.stop();
  relays?.forEach((relay) => relay.stop());
  people?.stop();
});

const text = (page, selector) => page.locator(selector).first().innerText();
/** The cookies of a browser, without their values. */
const shown = async (context) => (await context.cookies())
  .map(({ name, path, domain, httpOnly, secure, sameSite }) =>
    ({ name, path, domain, httpOnly, secure, sameSite }));
/** What the browser complains of, but for pages that were refused on purpose. */
const faults = (seen) => seen.violations.filter((one) => !/status of 403/.test(one));

/** A new browser that has begun at the console, and stands before the issuer's page. */
async function begun(options = {}, home = site.url) {
  const context = await chrome.newContext(options);
  const { page, seen } = await watched(context, home);
  await page.goto(`${home}/console`);
  await page.click("text=Enter with 127.0.0.1");
  await page.waitForURL(`${people.url}/authorize?*`);
  assert.equal(await text(page, "h1"), "Sign in as");
  return { context, page, seen };
}

/** A new browser in which this person has signed in at the issuer, whatever comes of it. */
async function signed(person, options, home = site.url) {
  const visit = await begun(options, home);
  visit.page.setDefaultTimeout(10_000);
  await visit.page.click(`button[value=${person}]`);
  await visit.page.waitForURL((url) => url.href.startsWith(home));
  return visit;
}

/** A new browser in which this person has entered. */
async function entered(person, options, home = site.url) {
  const visit = await signed(person, options, home);
  await visit.page.waitForURL(/\/[0-9a-f]{16}\/connections$/);
  await visit.page.waitForSelector(".scripted main h1");
  visit.prefix = visit.page.url().replace(/\/connections$/, "");
  return visit;
}

/** Why not everybody can use a page at this width: it is too wide, or fails axe. */
async function unusable(context, page) {
  const [wide, own] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  // The page's own policy forbids to add a script: axe is run outside of it.
  const session = await context.newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const expression = `axe.run({ runOnly: ${JSON.stringify(TAGS)} })
    .then((told) => JSON.stringify(told.violations.map((one) => one.id)))`;
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true });
  await session.detach();
  return [...(wide > own ? [`${wide} wide`] : []), ...JSON.parse(result.value)];
}

test("an admin of a tenant enters by the issuer, and sees that tenant alone", async () => {
  const { context, page, seen, prefix } = await entered("ann");
  assert.deepEqual(people.faults, [], "the issuer is content with its client");
  assert.equal(await text(page, ".who span"), "Tenant acme");
  assert.match(await text(page, "main"), /Own/);
  assert.doesNotMatch(await text(page, "main"), /Other/);
  await page.goto(`${prefix}/c/${own}`);
  await page.waitForSelector("button:has-text('Run now')");
  assert.equal((await page.goto(`${prefix}/connect/atlassian-cloud`)).status(), 200);
  assert.equal((await page.goto(`${prefix}/c/${other}`)).status(), 404, "of another tenant");
  assert.deepEqual(faults(seen).filter((one) => !/status of 404/.test(one)), []);
  assert.ok(seen.elsewhere.every((url) => url.startsWith(people.url)), `${seen.elsewhere}`);
  await context.close();
});

test("an admin without a tenant sees all of them", async () => {
  const { context, page } = await entered("olga");
  assert.equal(await text(page, ".who span"), "All tenants");
  assert.match(await text(page, "main"), /Own[^]*Other|Other[^]*Own/);
  await context.close();
});

test("the page that leads into the console lacks nothing while the console is slow", async (t) => {
  const { context, page, seen } = await begun();
  t.after(() => relays[0].slow(() => 0));
  relays[0].slow((path) => path.endsWith("/connections") ? 2_000 : 0);
  await page.click("button[value=ann]");
  await page.waitForURL(/\/connections$/);
  assert.deepEqual(faults(seen), []);
  await context.close();
});

test("a client without a secret enters by PKCE alone", async () => {
  const { context, page } = await entered("vic", {}, alone.url);
  assert.deepEqual(people.faults, []);
  assert.match(await text(page, ".who span"), /^Tenant acme, read only$/);
  await context.close();
});

test("a viewer sees no button of an admin, and is refused in words", async () => {
  const { context, page, seen, prefix } = await entered("vic");
  assert.equal(await text(page, ".who span"), "Tenant acme, read only");
  assert.deepEqual(await page.locator("header nav a").allInnerTexts(), ["Connections", "Plugins"]);
  const run = (await site.api("GET", `/api/v1/connections/${own}/runs?limit=1`)).data[0].id;
  const paths = ["/connections", `/c/${own}`, `/c/${own}/runs/${run}`, `/c/${own}/members`];
  for (const path of [...paths, `/c/${own}/changes`, `/c/${own}/licences`, "/plugins"]) {
    assert.equal((await page.goto(prefix + path)).status(), 200, path);
    const buttons = page.locator("form[method=post] button");
    assert.deepEqual(await buttons.allInnerTexts(), ["Leave"], path);
  }
  assert.equal((await page.goto(`${prefix}/connect/atlassian-cloud`)).status(), 403);
  assert.match(await text(page, "main"), /Not permitted[^]*A viewer changes nothing/);
  assert.deepEqual(faults(seen), []);
  await context.close();
});

test("cookies are secure, bound to their paths, and out of reach of scripts", async () => {
  const { context, page } = await begun();
  const [ticket, ...more] = await context.cookies();
  assert.deepEqual(more, []);
  assert.ok(ticket.expires - Date.now() / 1000 <= 600, "ten minutes at the issuer");
  const guarded = { domain: "localhost", httpOnly: true, secure: true };
  assert.deepEqual(await shown(context), [
    { name: "smp-console-oidc", path: "/console/oidc", sameSite: "Lax", ...guarded },
  ]);
  await page.click("button[value=ann]");
  await page.waitForURL(/\/connections$/);
  const path = `/${page.url().split("/")[3]}/`;
  assert.deepEqual(await shown(context), [
    { name: "smp-console", path, sameSite: "Strict", ...guarded },
  ]);
  const [session] = await context.cookies();
  const left = session.expires - Date.now() / 1000;
  assert.ok(left <= 12 * 3600 && left > 12 * 3600 - 60, `${left} seconds`);
  assert.equal(await page.evaluate(() => document.cookie), "");
  await context.close();
});

test("no code and no token stays in the page, address, history or memory", async () => {
  const { context, page, prefix } = await entered("ann");
  assert.equal(page.url(), `${prefix}/connections`);
  const own = people.given.slice(-3);
  assert.equal(own.length, 3, "a code, an ID token and an access token");
  const kept = await page.evaluate(() => [
    document.documentElement.outerHTML, location.href, document.cookie, document.referrer,
    JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }),
  ]);
  const session = await context.newCDPSession(page);
  const { entries } = await session.send("Page.getNavigationHistory");
  const memory = [await heap(page)];
  assert.ok(memory[0].includes("/connections"), "the snapshot has the texts of the page");
  const places = { page: kept, history: entries.map(({ url }) => url), memory };
  for (const [place, texts] of Object.entries(places)) {
    const found = texts.filter((one) => own.some((secret) => one.includes(secret)));
    assert.deepEqual(found.map((one) => one.slice(0, 200)), [], place);
  }
  await context.close();
});

test("who leaves is outside, also with the cookie from before", async () => {
  const { context, page, seen, prefix } = await entered("ann");
  const before = await context.cookies();
  await page.click("text=Leave");
  await page.waitForSelector("h1:has-text('You left the console')");
  assert.deepEqual(await context.cookies(), []);
  await page.goBack();
  await page.waitForSelector("h1:has-text('The console is open to the browser that entered it')");
  assert.equal((await page.goto(`${prefix}/connections`)).status(), 403);
  await context.addCookies(before);
  assert.equal((await page.reload()).status(), 403, "the session is over on the server, too");
  await page.click("main a");
  assert.equal(page.url(), `${site.url}/console`);
  assert.equal(await page.locator("text=Enter with 127.0.0.1").count(), 1);
  assert.deepEqual(faults(seen), []);
  await context.close();
});

test("who may not enter is told why in words, and stays outside", async () => {
  const found = [];
  for (const [person, words] of [
    ["stan", /Not permitted[^]*gives no role here[^]*claim `groups`/],
    ["tess", /Not permitted[^]*more than one tenant[^]*claim `groups`/],
    ["nora", /Not permitted[^]*token is not valid for this visit/],
    ["otto", /Not permitted[^]*token is not valid for this visit/],
    ["nobody", /Not permitted[^]*The issuer refused: the person <b>did not<\/b> sign in/],
  ]) {
    const { context, page, seen } = await signed(person, NARROW);
    await page.waitForSelector("main h1");
    assert.match(await text(page, "main"), words, person);
    assert.equal(await page.locator("main a[href='/console']").count(), 1, "the way in");
    const names = (await context.cookies()).map(({ name }) => name);
    assert.ok(!names.includes("smp-console"), `${person} has no session`);
    const whole = await page.content();
    for (const hidden of ["of another visit", "another client", ...people.given]) {
      assert.ok(!whole.includes(hidden), `${person}: ${hidden}`);
    }
    const wrong = [...faults(seen), ...await unusable(context, page)];
    found.push(...wrong.map((one) => `${person}: ${one}`));
    await context.close();
  }
  assert.deepEqual(found, []);
});

test("everybody can use the pages before and after a visit", async () => {
  for (const options of [WIDE, NARROW, { ...NARROW, colorScheme: "dark" }]) {
    const { context, page, seen } = await entered("ann", options);
    const wrong = [];
    await page.click("text=Leave");
    await page.waitForSelector("h1:has-text('You left the console')");
    wrong.push(...await unusable(context, page));
    await page.goto(`${site.url}/console`);
    wrong.push(...await unusable(context, page));
    assert.deepEqual([...wrong, ...faults(seen)], [], JSON.stringify(options));
    await context.close();
  }
});

test("the address of a visit works once, and in the browser that began alone", async () => {
  const { context, page } = await begun();
  // What the issuer answers to the form, of which the browser is not told.
  const form = new URLSearchParams([...new URL(page.url()).searchParams, ["person", "ann"]]);
  const sent = { method: "POST", body: form.toString() };
  const back = (await sender(made)(`${people.url}/authorize`, sent)).headers.location;
  const stranger = await chrome.newContext();
  const strange = await stranger.newPage();
  assert.equal((await strange.goto(back)).status(), 403);
  assert.match(await text(strange, "main"), /This browser did not begin to enter here/);
  assert.deepEqual(await stranger.cookies(), []);
  await page.goto(back);
  await page.waitForURL(/\/connections$/);
  assert.equal((await page.goto(back)).status(), 403, "used up");
  await context.close();
  await stranger.close();
});

test("the way back in the browser leads to no fault", async () => {
  const { context, page, prefix } = await entered("ann");
  await page.goto(`${prefix}/plugins`);
  await page.goBack();
  assert.equal(page.url(), `${prefix}/connections`);
  await page.goBack();
  assert.match(await text(page, "h1"), /Sign in as|Enter the console/, page.url());
  await context.close();
});
