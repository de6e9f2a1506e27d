const { openAuditLog, verifyAuditLog } = require("vram-audit");
require("vram-cuda");
require("vram-policy");
const { openResidency } = require("vram-residency");
const { generate } = require("vram-seal");
const { simulator } = require("vram-simulator");
require("vram-simulator/control");
const { tamper } = require("vram-simulator/tamper");
const { scenario } = require("./scenario.cjs");

scenario({ openResidency, generate, openAuditLog, verifyAuditLog, simulator, tamper }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
