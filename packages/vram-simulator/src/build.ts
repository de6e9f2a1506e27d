#!/usr/bin/env node
import { buildCommand } from "vram-addon";

process.exitCode = buildCommand("vram-simulator", new URL("../", import.meta.url));
