// The dashboard in headless Chromium.
import { createRequire } from "node:module";
import { join } from "node:path";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const { chromium } = createRequire(new URL("../../packages/vram-residency/package.json", import.meta.url))("playwright-core");

/** A page that stays open; `shows(selector, text)` resolves when its element has the text, to when that was. */
export async function openDashboard(folder, url) {
  const browser = await chromium.launchPersistentContext(join(folder, "chromium"), { executablePath: "/usr/bin/chromium", headless: true, args: ARGUMENTS });
  const page = browser.pages()[0] ?? (await browser.newPage());
  const errors = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.goto(url);
  const shows = async (selector, text, seconds = 30) => {
    const has = ([element, wanted]) => globalThis.document.querySelector(element)?.textContent.includes(wanted) && Date.now();
    return (await page.waitForFunction(has, [selector, text], { timeout: seconds * 1000 })).jsonValue();
  };
  return { shows, errors, photograph: (file) => page.screenshot({ path: file, fullPage: true }), close: () => browser.close() };
}
