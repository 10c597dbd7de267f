// Checks the live page in a browser, with daemons of its own; see scripts/test-page.
// usage: CHROMIUM=PATH BIN=DIR STATE=DIR [PICTURES=DIR] [DOCS=DIR] node live.mjs
import { execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { get, createServer } from "node:http";
import { copyFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const { CHROMIUM, BIN, STATE, PICTURES, DOCS } = process.env;
const SIZES = [["narrow", 360, 740], ["wide", 1280, 900], ["very wide", 2200, 1200]];
const VIEWERS = 50;
const PATIENCE = 60_000;
// Runs that pictures are tried of.
const TRIES = 8;

let faults = 0;
let checks = 0;
const check = (what, good, more = "") => {
  checks += 1;
  if (!good) {
    faults += 1;
    console.log(`live page: ${what} ${more}`);
  }
};

const daemons = new Set();

/** A daemon; at the port of an earlier one where that is given. */
const start = async (state, port = 0, config = []) => {
  const flags = ["--state-dir", state, "--listen", "127.0.0.1:0", "--metrics-listen", `127.0.0.1:${port}`, "--socket",
    `${state}.sock`, ...config];
  const child = spawn(`${BIN}/loaderd`, flags, { stdio: ["ignore", "ignore", "pipe"] });
  const daemon = { child, ended: new Promise((resolve) => child.on("exit", resolve)), log: "" };
  daemons.add(daemon);
  child.stderr.setEncoding("utf8");
  daemon.page = await new Promise((resolve, reject) => {
    child.stderr.on("data", (text) => {
      daemon.log += text;
      const found = daemon.log.match(/page on (http:\S+)\//);
      if (found) resolve(found[1]);
    });
    child.on("exit", () => reject(new Error(`loaderd ended: ${daemon.log}`)));
  });
  daemon.ctl = (...words) => execFileSync(`${BIN}/loaderctl`, ["--address", `unix:${state}.sock`, ...words], {
    encoding: "utf8", stdio: ["ignore", "pipe", "ignore"],
  });
  return daemon;
};

const stop = async (daemon) => {
  daemon.child.kill("SIGTERM");
  await daemon.ended;
  daemons.delete(daemon);
};

const submit = (daemon, ...flags) => {
  const told = daemon.ctl("--output", "json", "submit", "--mode", "rps", "--runtime", "20ms", "--memory", "1MiB",
    "--saturation-lag", "1m", ...flags);
  return JSON.parse(told).run.runId;
};

/** A page that notes everything that is asked for, and everything on the console. */
const open = async (browser, url, options) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const [requests, messages] = [[], []];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(error.message));
  const response = await page.goto(url);
  // Of a file there is no response.
  return { context, page, requests, messages, status: response?.status() };
};

const quiet = (when, origin, { requests, messages }) => {
  const foreign = requests.filter((url) => !url.startsWith(origin) && !url.startsWith("data:"));
  check(`${when}: requests to others`, foreign.length === 0, foreign.join(" "));
  check(`${when}: console`, messages.length === 0, messages.join(" | "));
};

const drawn = (page) => page.locator("#run figure.chart svg").first().waitFor();
const curve = (page) => page.locator("#live-rate svg").innerHTML();
const isLive = (page) => page.waitForFunction(() => document.getElementById("connection")?.textContent === "live");

const moving = async (page, what) => {
  const before = await curve(page);
  const moved = page.waitForFunction((old) => document.querySelector("#live-rate svg").innerHTML !== old, before);
  check(what, await moved.then(() => true, () => false));
};

const screens = async (browser, url) => {
  for (const [name, width, height] of SIZES) {
    for (const colorScheme of ["light", "dark"]) {
      const opened = await open(browser, url, { viewport: { width, height }, colorScheme });
      const { page } = opened;
      await drawn(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      check(`${name}, ${colorScheme}: wider than the screen by`, wide <= 0, `${wide} px`);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = ground.match(/\d+/g).slice(0, 3).every((part) => Number(part) > 128);
      check(`${name}, ${colorScheme}: ground`, light === (colorScheme === "light"), ground);
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/live-${name.replace(" ", "-")}-${colorScheme}.png`, fullPage: true });
      quiet(`${name}, ${colorScheme}`, url, opened);
      await opened.context.close();
    }
  }
};

const accessible = async (browser, url, what) => {
  for (const colorScheme of ["light", "dark"]) {
    // The policy of the page would keep the checker out.
    const { context, page } = await open(browser, url, { bypassCSP: true, colorScheme });
    if (what === "run") await drawn(page);
    await page.addScriptTag({ path: AXE });
    const found = await page.evaluate(() => axe.run());
    for (const { id, impact, nodes } of found.violations) {
      const where = `${impact}: ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`;
      check(`axe (${what}, ${colorScheme}) ${id}`, !["serious", "critical"].includes(impact), where);
    }
    check(`axe ran (${what})`, found.passes.length > 5, `${found.passes.length} rules`);
    await context.close();
  }
};

const withoutScripts = async (browser, url) => {
  const { context, page } = await open(browser, url, { javaScriptEnabled: false });
  check("figures without scripts", (await page.locator("#run figure.chart svg").count()) === 5);
  check("runs without scripts", (await page.locator("#runs table.runs tbody tr").count()) >= 2);
  await context.close();
};

/** A page of another port of this machine, and one of a name that leads here. */
const foreign = async (browser, url, id) => {
  const other = createServer((_, response) => response.setHeader("content-type", "text/html").end("<p>another site</p>"));
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const elsewhere = `http://127.0.0.1:${other.address().port}/`;
  const { context, page } = await open(browser, elsewhere);
  const statuses = [];
  // What a page may not read, the browser does not show to its tools either, but for its status.
  const tools = await context.newCDPSession(page);
  await tools.send("Network.enable");
  tools.on("Network.responseReceivedExtraInfo", ({ statusCode }) => statuses.push(statusCode));
  const seen = await page.evaluate(async (target) => {
    const read = (options) => fetch(target, options).then((answer) => answer.text(), () => "");
    const events = new EventSource(`${target}/live`);
    const heard = await new Promise((resolve) => {
      events.onmessage = () => resolve("heard");
      events.onerror = () => resolve("");
    });
    events.close();
    return (await read({})) + (await read({ mode: "no-cors" })) + (await read({ credentials: "include" })) + heard;
  }, url);
  check("another origin reads nothing", seen === "", seen.slice(0, 100));
  check("another origin is refused", statuses.length >= 3 && statuses.every((status) => status === 403), statuses.join(" "));
  await page.evaluate((target) => {
    const frame = document.createElement("iframe");
    frame.src = target;
    document.body.append(frame);
    return new Promise((resolve) => frame.addEventListener("load", resolve));
  }, url);
  const framed = page.frames().find((frame) => frame !== page.mainFrame());
  // A frame that the browser does not fill may not answer.
  const silence = new Promise((resolve) => setTimeout(resolve, 2000, ""));
  const inside = await Promise.race([framed.evaluate(() => document.body.textContent).catch(() => ""), silence]);
  check("it is not framed", !inside.includes(id), inside.slice(0, 100));
  await context.close();
  other.close();
  const port = new URL(url).port;
  const rebound = await open(browser, `http://rebound.example:${port}/`);
  const text = await rebound.page.textContent("body");
  check("a rebound host is refused", rebound.status === 421 && !text.includes(id), `${rebound.status} ${text.slice(0, 100)}`);
  await rebound.context.close();
};

const viewers = async (url, page) => {
  const counts = [];
  const requests = Array.from({ length: VIEWERS }, (_, number) => get(`${url}/live`, (response) => {
    counts[number] = 0;
    response.on("data", () => (counts[number] += 1));
  }));
  const deadline = Date.now() + PATIENCE;
  const all = () => counts.length === VIEWERS && counts.every((count) => count >= 3);
  while (!all() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  check(`${VIEWERS} viewers follow`, all(), counts.join(" "));
  await moving(page, `the page moves beside ${VIEWERS} others`);
  requests.forEach((request) => request.on("error", () => {}).destroy());
};

const restarted = async (daemon, state, page) => {
  await page.evaluate(() => { window.kept = true; });
  const port = new URL(daemon.page).port;
  await stop(daemon);
  const lost = page.waitForFunction(() => document.getElementById("connection")?.textContent.includes("lost"));
  check("a lost connection is said", await lost.then(() => true, () => false));
  const again = await start(state, port);
  check("it connects again", await isLive(page).then(() => true, () => false));
  check("without being loaded again", await page.evaluate(() => window.kept === true));
  return again;
};

const reports = async (browser, url, [first, second]) => {
  const opened = await open(browser, url);
  const { page } = opened;
  await page.fill("#runs input[name=q]", "rps succeeded");
  await page.click("#runs form[role=search] button");
  await page.waitForURL(/q=rps/);
  check("the search finds runs", (await page.locator("table.runs tbody tr").count()) >= 2);
  await page.check(`input[name=a][value="${first}"]`);
  await page.check(`input[name=b][value="${second}"]`);
  await page.click("button:text(\"Compare B with A\")");
  await page.waitForURL(/compare/);
  check("runs are compared", (await page.textContent("h1")) === "B against A", await page.textContent("body"));
  await page.goBack();
  await page.click(`a[href="/runs/${first}"]`);
  await page.waitForURL(/\/runs\//);
  check("a report is shown", (await page.locator("ul.verdicts li").count()) >= 4);
  check("a report has an origin of its own", await page.evaluate(() => self.origin === "null"));
  const toggles = await page.locator(".toggles button").count();
  check("its script runs", toggles > 0, `${toggles} toggles`);
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/live-report.png` });
  quiet("search, comparison, report", url, opened);
  await opened.context.close();
};

const login = async (browser) => {
  const state = `${STATE}/guarded`;
  const token = `${STATE}/token`;
  const line = execFileSync(`${BIN}/loaderctl`, ["token", "reader", "--role", "read", "--to", token], { encoding: "utf8" });
  writeFileSync(`${STATE}/guarded.toml`, `[access]\nloopback = "none"\n[access.tokens]\n${line}`);
  const daemon = await start(state, 0, ["--config", `${STATE}/guarded.toml`]);
  await accessible(browser, daemon.page, "login");
  const opened = await open(browser, daemon.page);
  const { page, context } = opened;
  check("a stranger gets the login", opened.status === 401 && (await page.locator("input[name=token]").count()) === 1);
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/live-login.png` });
  await page.fill("input[name=token]", execFileSync("cat", [token], { encoding: "utf8" }).trim());
  await page.click("button:text(\"Log in\")");
  await isLive(page);
  const [cookie] = await context.cookies();
  check("its cookie is out of reach", cookie.httpOnly && cookie.sameSite === "Strict" && !page.url().includes("token"), page.url());
  await page.click("button:text(\"Log out\")");
  await page.waitForSelector("input[name=token]");
  await context.close();
  const address = daemon.ctl("dashboard").trim();
  const fresh = await open(browser, address);
  await isLive(fresh.page);
  check("an address lets in, and its code is gone", !fresh.page.url().includes("code"), fresh.page.url());
  const used = await open(browser, address);
  const said = used.page.waitForFunction(() => document.getElementById("reason")?.textContent.includes("used before"));
  check("an address works once", await said.then(() => true, () => false));
  await fresh.context.close();
  await used.context.close();
  await stop(daemon);
};

/** A burst like the demo's, with as many invocations as a p99 of the last seconds needs, and the live page during it; gives whether the
    loader kept up. */
const burst = async (browser, daemon, picture) => {
  daemon.ctl("submit", "--mode", "burst", "--name", "demo", "--target-rps", "22", "--burst", "30", "--step-duration", "2s",
    "--hold", "20s", "--stable-window", "10s", "--runtime", "10ms", "--memory", "10MiB");
  const { context, page } = await open(browser, daemon.page, { viewport: { width: 1180, height: 860 } });
  await drawn(page);
  await page.waitForFunction(() => Number(document.querySelector("#run progress")?.value) > 0.9, null, { timeout: 2 * PATIENCE });
  await page.screenshot({ path: picture });
  await page.waitForFunction(() => document.querySelector("#run").textContent.includes("No run is under way"));
  await context.close();
  return !JSON.parse(daemon.ctl("--output", "json", "get", "latest")).run.summary.saturated.saturated;
};

/** The pictures of the guide. A run that the machine held up is none for them: another one is made then, a few times. */
const pictures = async (browser, daemon) => {
  daemon.ctl("submit", "--mode", "rps", "--name", "earlier", "--start", "5", "--end", "5", "--slot", "5s", "--runtime", "50ms",
    "--memory", "10MiB", "--saturation-lag", "1m", "--wait");
  let kept = false;
  for (let tried = 0; tried < TRIES && !kept; tried += 1) kept = await burst(browser, daemon, `${STATE}/live.png`);
  if (!kept) {
    console.log(`the loader was saturated in each of ${TRIES} runs: no picture is made of them`);
    faults += 1;
    return;
  }
  copyFileSync(`${STATE}/live.png`, `${DOCS}/live.png`);
  daemon.ctl("plot", "latest", "--figure", "burst", "--to", `${DOCS}/burst.png`);
  daemon.ctl("report", "latest", "--to", `${STATE}/report.html`);
  const { context, page } = await open(browser, `file://${STATE}/report.html`, { viewport: { width: 1000, height: 600 } });
  await page.screenshot({ path: `${DOCS}/report.png` });
  await context.close();
};

const main = async (browser) => {
  const state = `${STATE}/open`;
  let daemon = await start(state);
  const url = daemon.page;
  if (DOCS) {
    await pictures(browser, daemon);
    await stop(daemon);
    return;
  }
  const short = ["--start", "5", "--end", "5", "--slot", "2s"];
  const ended = [submit(daemon, "--name", "one", ...short), submit(daemon, "--name", "other", ...short)];
  const id = submit(daemon, "--name", "long", "--start", "40", "--end", "40", "--slot", "20m");
  submit(daemon, "--name", "waiting", ...short);
  const opened = await open(browser, url);
  const { page } = opened;
  await page.waitForSelector(`#run code:text("${id}")`);
  await page.locator("#live-rate svg").waitFor();
  await isLive(page);
  await moving(page, "figures move");
  check("the queue is shown", (await page.textContent("#queue")).includes("waiting"));
  await page.waitForFunction(() => document.querySelectorAll("#platforms dd").length > 0);
  await screens(browser, url);
  await accessible(browser, url, "run");
  await withoutScripts(browser, url);
  await foreign(browser, url, id);
  await viewers(url, page);
  await reports(browser, url, ended);
  quiet("the page", url, opened);
  daemon = await restarted(daemon, state, page);
  await stop(daemon);
  await login(browser);
};

const browser = await chromium.launch({
  executablePath: CHROMIUM, args: ["--no-sandbox", "--host-resolver-rules=MAP rebound.example 127.0.0.1"],
});
try {
  await main(browser);
} finally {
  await browser.close();
  for (const daemon of daemons) daemon.child.kill("SIGKILL");
}
if (!DOCS) console.log(`live page: ${checks} checks, ${faults} failed`);
process.exit(faults > 0 ? 1 : 0);
