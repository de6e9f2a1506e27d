import { readFileSync } from "node:fs";

/** Beside this source, and beside the built command. */
const ASSETS = new URL("./assets/", import.meta.url);
const STYLE = /<link rel="stylesheet" href="([a-z]+\.css)">/g;
const SCRIPT = /<script src="([a-z]+\.js)"><\/script>/g;
const NONCE = "{nonce}";

const asset = (name: string): string => readFileSync(new URL(name, ASSETS), "utf8");

let page: string | undefined;

/** The dashboard as one HTML document, its style and scripts inline under the Content-Security-Policy nonce `nonce`, in base64. */
export function dashboardPage(nonce: string): string {
  page ??= asset("page.html")
    .replace(STYLE, (_, name: string) => `<style nonce="${NONCE}">\n${asset(name)}</style>`)
    .replace(SCRIPT, (_, name: string) => `<script nonce="${NONCE}">\n${asset(name)}</script>`);
  return page.replaceAll(NONCE, nonce);
}
