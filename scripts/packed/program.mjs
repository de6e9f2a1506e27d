import { linear } from "engine-addon";
import { verifyAuditLog } from "vram-audit";
import { generate, openAuditLog, openResidency } from "vram-residency";
import { simulator } from "vram-simulator";
import { tamper } from "vram-simulator/tamper";
import { scenario } from "./scenario.cjs";

await scenario("ESM", { generate, linear, openAuditLog, openResidency, simulator, tamper, verifyAuditLog });
