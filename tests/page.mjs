// Checks reports in a browser; see scripts/test-page.
// usage: CHROMIUM=PATH [PICTURES=DIR] node page.mjs REPORT...
import { createRequire } from "node:module";
import { basename } from "node:path";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const { CHROMIUM, PICTURES } = process.env;
const SIZES = [["narrow", 360, 740], ["wide", 1280, 900], ["very wide", 2200, 1200]];

let faults = 0;
let checks = 0;
const check = (file, what, good, more = "") => {
  checks += 1;
  if (!good) {
    faults += 1;
    console.log(`${basename(file)}: ${what} ${more}`);
  }
};

/** A page with the network cut, which notes everything that is asked for and everything on the console. */
const open = async (browser, file, options) => {
  const context = await browser.newContext({ offline: true, bypassCSP: false, ...options });
  const page = await context.newPage();
  const [requests, messages] = [[], []];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(error.message));
  await page.goto(`file://${file}`);
  return { context, page, requests, messages };
};

const quiet = (file, when, { requests, messages }) => {
  check(file, `${when}: requests`, requests.length === 1, requests.slice(1).join(" "));
  check(file, `${when}: console`, messages.length === 0, messages.join(" | "));
};

const screens = async (browser, file) => {
  for (const [name, width, height] of SIZES) {
    for (const colorScheme of ["light", "dark"]) {
      const opened = await open(browser, file, { viewport: { width, height }, colorScheme });
      const { page } = opened;
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      check(file, `${name}, ${colorScheme}: wider than the screen by`, wide <= 0, `${wide} px`);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = ground.match(/\d+/g).slice(0, 3).every((part) => Number(part) > 128);
      check(file, `${name}, ${colorScheme}: ground`, light === (colorScheme === "light"), ground);
      const verdict = await page.evaluate(() => document.querySelector(".lead").getBoundingClientRect().bottom);
      check(file, `${name}: the verdict is on the first screen`, verdict < height, `${verdict} px`);
      if (PICTURES) {
        const picture = `${PICTURES}/${basename(file, ".html")}-${name.replace(" ", "-")}-${colorScheme}`;
        await page.screenshot({ path: `${picture}.png` });
        await page.screenshot({ path: `${picture}-full.png`, fullPage: true });
      }
      quiet(file, `${name}, ${colorScheme}`, opened);
      await opened.context.close();
    }
  }
};

const accessible = async (browser, file) => {
  for (const colorScheme of ["light", "dark"]) {
    // The policy of the page would keep the checker out.
    const { context, page } = await open(browser, file, { bypassCSP: true, colorScheme, viewport: { width: 1280, height: 900 } });
    await page.addScriptTag({ path: AXE });
    const found = await page.evaluate(() => axe.run());
    for (const { id, impact, nodes } of found.violations) {
      const where = `${impact}: ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`;
      check(file, `axe (${colorScheme}) ${id}`, !["serious", "critical"].includes(impact), where);
    }
    check(file, "axe ran", found.passes.length > 10, `${found.passes.length} rules`);
    await context.close();
  }
};

const withoutScripts = async (browser, file) => {
  const { context, page } = await open(browser, file, { javaScriptEnabled: false });
  const figures = await page.locator("figure.chart svg").count();
  check(file, "figures without scripts", figures > 0 && (await page.locator("figure.chart svg path").first().isVisible()));
  check(file, "verdicts without scripts", (await page.locator("ul.verdicts li").count()) >= 4);
  check(file, "no dead buttons without scripts", (await page.locator("button").count()) === 0);
  await context.close();
};

const interaction = async (browser, file) => {
  const opened = await open(browser, file, { viewport: { width: 1280, height: 900 } });
  const { page } = opened;
  const chart = page.locator("figure.chart", { has: page.locator("svg[data-pointer=x]") }).first();
  if (await chart.count()) {
    const svg = chart.locator("svg");
    await svg.scrollIntoViewIfNeeded();
    const box = await svg.boundingBox();
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.5);
    const shown = await chart.locator("output").textContent();
    check(file, "a value at the pointer", /\d/.test(shown), shown);
  }
  const toggle = page.locator(".toggles button").first();
  if (await toggle.count()) {
    const layer = page.locator("figure.chart", { has: toggle }).locator("g[data-name]").first();
    await toggle.focus();
    await page.keyboard.press("Enter");
    const pressed = await toggle.getAttribute("aria-pressed");
    check(file, "a hidden curve", (await layer.getAttribute("visibility")) === "hidden" && pressed === "false");
    await toggle.click();
    check(file, "a curve that is shown again", (await layer.getAttribute("visibility")) === "visible");
  }
  const table = page.locator("table.sortable").first();
  if (await table.count()) {
    const cells = () => table.locator("tbody td:nth-child(2)").evaluateAll((all) => all.map((cell) => Number(cell.dataset.v)));
    const head = table.locator("thead th").nth(1).locator("button");
    await head.click();
    const down = await cells();
    check(file, "a table sorted down", down.every((value, i) => i === 0 || down[i - 1] >= value), down.join(" "));
    await head.click();
    const up = await cells();
    check(file, "a table sorted up", up.every((value, i) => i === 0 || up[i - 1] <= value), up.join(" "));
  }
  quiet(file, "interaction", opened);
  await opened.context.close();
};

const printed = async (browser, file) => {
  const opened = await open(browser, file, { colorScheme: "dark" });
  const kept = PICTURES ? { path: `${PICTURES}/${basename(file, ".html")}.pdf` } : {};
  const pdf = await opened.page.pdf({ preferCSSPageSize: true, ...kept });
  check(file, "print", pdf.length > 20_000, `${pdf.length} bytes`);
  await opened.page.emulateMedia({ media: "print", colorScheme: "dark" });
  const ground = await opened.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(file, "white paper", ground === "rgb(255, 255, 255)", ground);
  quiet(file, "print", opened);
  await opened.context.close();
};

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
for (const file of process.argv.slice(2)) {
  for (const part of [screens, accessible, withoutScripts, interaction, printed]) await part(browser, file);
}
await browser.close();
console.log(`${process.argv.length - 2} reports, ${checks} checks, ${faults} failed`);
process.exit(faults > 0 ? 1 : 0);
