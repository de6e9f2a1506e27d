import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Production TypeScript: no non-null assertion, no unchecked index, no floating promise, no thrown non-error, no process.exit. */
export default tseslint.config(
  { ignores: ["**/dist/", "**/build/", "**/coverage/", "**/.results/", "**/node_modules/"] },
  js.configs.recommended,
  {
    files: ["packages/*/{src,test}/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-globals": ["error", "eval"],
      "no-restricted-syntax": [
        "error",
        { selector: "CallExpression[callee.object.name='process'][callee.property.name=/^(exit|abort|kill)$/]", message: "Set process.exitCode, or throw a typed error." },
        { selector: "ExportAllDeclaration", message: "Export names one by one." },
        { selector: "ExportDefaultDeclaration", message: "Export by name." },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
    },
  },
  {
    files: ["packages/*/{src,test}/**/*.test.ts", "packages/*/test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", package: "vitest", name: ["it", "test", "describe"] }] }],
    },
  },
  {
    files: ["**/*.{mjs,js,cjs}", "packages/*/*.config.ts"],
    languageOptions: { globals: { process: "readonly", console: "readonly", Buffer: "readonly", URL: "readonly", setTimeout: "readonly", clearTimeout: "readonly", setInterval: "readonly", clearInterval: "readonly", performance: "readonly" } },
  },
  { files: ["packages/*/*.config.ts"], extends: [tseslint.configs.base], rules: { "no-restricted-syntax": "off" } },
);
