#!/usr/bin/env node
import { buildCommand } from "vram-addon";

process.exitCode = buildCommand("vram-seal", new URL("../", import.meta.url));
