import js from "@eslint/js";
import tseslint from "typescript-eslint";

const RESTRICTED = [
  { selector: "CallExpression[callee.object.name='process'][callee.property.name=/^(exit|abort|kill)$/]", message: "Set process.exitCode, or throw a typed error." },
  { selector: "CallExpression[callee.property.name='toString'][arguments.0.value=16]", message: "A number in hexadecimal reads like an address." },
  { selector: "ExportAllDeclaration", message: "Export names one by one." },
  { selector: "ExportDefaultDeclaration", message: "Export by name." },
];
const WRAPPING = { selector: "BinaryExpression[operator=/^(\\||&|\\^|<<|>>|>>>)$/][right.value=0]", message: "Bit operators wrap round at 32 bits." };

/** Production TypeScript: no non-null assertion, no unchecked index, no floating promise, no thrown non-error, no process.exit. */
export default tseslint.config(
  { ignores: ["**/dist/", "**/build/", "**/coverage/", "**/.results/", "**/node_modules/"] },
  js.configs.recommended,
  {
    files: ["packages/*/{src,test}/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", "eval"],
      "no-restricted-syntax": ["error", ...RESTRICTED],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
    },
  },
  {
    files: ["packages/*/src/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: { "no-restricted-syntax": ["error", ...RESTRICTED, WRAPPING] },
  },
  {
    files: ["packages/*/{src,test}/**/*.test.ts", "packages/*/test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", package: "vitest", name: ["it", "test", "describe"] }] }],
    },
  },
  {
    files: ["**/*.{mjs,js,cjs}", "packages/*/*.config.ts"],
    languageOptions: { globals: { process: "readonly", console: "readonly", Buffer: "readonly", URL: "readonly", setTimeout: "readonly", clearTimeout: "readonly", setInterval: "readonly", clearInterval: "readonly", performance: "readonly", fetch: "readonly", AbortController: "readonly", AbortSignal: "readonly" } },
  },
  {
    // Scripts of a page share their names, and tsc knows those and the browser's.
    files: ["packages/*/src/service/dashboard/assets/*.js"],
    languageOptions: { sourceType: "script" },
    rules: { "no-undef": "off", "no-unused-vars": ["error", { vars: "local" }] },
  },
  { files: ["packages/*/*.config.ts"], extends: [tseslint.configs.base], rules: { "no-restricted-syntax": "off" } },
);
