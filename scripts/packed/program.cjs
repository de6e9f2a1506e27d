const { linear } = require("engine-addon");
const { verifyAuditLog } = require("vram-audit");
const { generate, openAuditLog, openResidency } = require("vram-residency");
const { simulator } = require("vram-simulator");
const { tamper } = require("vram-simulator/tamper");
const { scenario } = require("./scenario.cjs");

scenario("CommonJS", { generate, linear, openAuditLog, openResidency, simulator, tamper, verifyAuditLog }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
