// Goes through the chat in Firefox as a patient on a telephone. Standard input has where and with which words, standard output what was seen.
import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const { firefox, url, spy, says, continue: goesOn } = JSON.parse(readFileSync(0, "utf8"));
const SIZE = { width: 390, height: 844 };
const BY_FINGER = { "ui.primaryPointerCapabilities": 1, "ui.allPointerCapabilities": 1, "dom.w3c_touch_events.enabled": 1 };
const WAIT = { timeout: 30_000 };
const complaints = [];

async function newPage() {
  const page = await browser.newPage();
  await page.setViewport(SIZE);
  await page.evaluateOnNewDocument(spy);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.text().startsWith("blocked by policy:")) complaints.push(message.text());
  });
  await page.goto(url);
  return page;
}

async function walk(page) {
  const seen = { launcher: await launcherOf(page) };
  const first = await open(page);
  seen.opened = { ...(await textsOf(first, { main: "main", starters: ".starters" })), focused: await focused(first) };
  seen.check = await answerCheck(first);
  seen.emergency = await meetEmergency(first);
  await page.reload();
  await page.waitForSelector(`aftercare-chat >>> .open[aria-label^="${goesOn}"]`, WAIT);
  seen.reloaded = { launcher: await launcherOf(page) };
  const again = await open(page);
  await again.waitForSelector(".care-emergency", WAIT);
  Object.assign(seen.reloaded, { said: await saidIn(again), alerts: await alerts(again), answer: await say(again, says.thanks) });
  seen.back = await goBackFromMenu(page, again);
  await tap(again, "header button[aria-label]");
  await page.waitForFunction(() => document.querySelector("aftercare-chat").shadowRoot.querySelector(".frame").hidden, WAIT);
  seen.closed = await launcherOf(page);
  return { ...seen, complaints };
}

async function answerCheck(panel) {
  const question = await say(panel, says.symptom);
  await panel.waitForSelector(".check fieldset:not([aria-disabled])", WAIT);
  const rows = await panel.$$(".check .tick:nth-child(2)");
  for (const row of rows) {
    await tapElement(row);
    await panel.waitForFunction((label) => label.querySelector(":checked"), WAIT, row);
  }
  const answer = await answerTo(panel, () => tap(panel, ".check-end button"));
  return { question, rows: rows.length, answer };
}

async function meetEmergency(panel) {
  await say(panel, says.emergency);
  const heading = await panel.$eval(".care-emergency h2", (element) => element.textContent.trim());
  const calls = await panel.$eval(".care-emergency a.call-emergency", (link) => {
    const { top, bottom, left, right } = link.getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return { href: link.href, in_sight: top >= 0 && bottom <= innerHeight && link.contains(hit) };
  });
  return { heading, calls, alerts: await alerts(panel), said: await saidIn(panel) };
}

async function goBackFromMenu(page, panel) {
  await tap(panel, "#menu-button");
  await panel.waitForSelector("#menu", WAIT);
  await page.evaluate(() => history.back());
  await panel.waitForFunction(() => !document.querySelector("#menu"), WAIT);
  return { stayed: page.url() === url, focused: await focused(panel) };
}

async function open(page) {
  await tap(page, "aftercare-chat >>> .open");
  const panel = await page.waitForFrame((frame) => frame.url().includes("/panel/") && !frame.url().includes("/embedding"), WAIT);
  await panel.waitForSelector("li.program", WAIT);
  return panel;
}

async function tap(place, selector) {
  await tapElement(await place.waitForSelector(selector, { ...WAIT, visible: true }));
}

/** Taps where a thing is once it no longer moves. */
async function tapElement(element) {
  await element.evaluate(async (moving) => {
    moving.scrollIntoView({ block: "nearest", behavior: "instant" });
    const place = () => new Promise((resolve) => requestAnimationFrame(() => resolve(JSON.stringify(moving.getBoundingClientRect()))));
    for (let before = "", now = await place(); now !== before; now = await place()) before = now;
  });
  await element.tap();
}

async function say(panel, text) {
  await tap(panel, "#words");
  await panel.type("#words", text);
  return answerTo(panel, () => tap(panel, "form button"));
}

/** Does something that is answered; the answer's words. */
async function answerTo(panel, act) {
  const before = (await panel.$$("li.program")).length;
  await act();
  await panel.waitForFunction((count) => document.querySelectorAll("li.program").length > count, WAIT, before);
  return panel.$$eval("li.program .bubble", (all) => all.at(-1).innerText);
}

async function textsOf(panel, places) {
  const texts = Object.entries(places).map(async ([name, selector]) => [name, await panel.$eval(selector, (element) => element.innerText)]);
  return Object.fromEntries(await Promise.all(texts));
}

const launcherOf = (page) => page.$eval("aftercare-chat >>> .open", (button) => ({ name: button.ariaLabel, expanded: button.ariaExpanded, focused: button.matches(":focus") }));
const saidIn = (panel) => panel.$$eval("li.you .words", (all) => all.map((words) => words.textContent));
const focused = (panel) => panel.evaluate(() => document.activeElement.id);
const alerts = (panel) => panel.evaluate(() => window.__spy.alert);

const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefox, extraPrefsFirefox: BY_FINGER });
try {
  process.stdout.write(JSON.stringify(await walk(await newPage())));
} finally {
  await browser.close();
}
