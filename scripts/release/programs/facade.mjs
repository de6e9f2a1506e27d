import { openAuditLog, verifyAuditLog } from "vram-audit";
import "vram-cuda";
import "vram-policy";
import { openResidency } from "vram-residency";
import { generate } from "vram-seal";
import { simulator } from "vram-simulator";
import "vram-simulator/control";
import { tamper } from "vram-simulator/tamper";
import { scenario } from "./scenario.cjs";

await scenario({ openResidency, generate, openAuditLog, verifyAuditLog, simulator, tamper });
