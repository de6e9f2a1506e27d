#!/usr/bin/env node
import { buildCommand } from "vram-addon";

process.exitCode = buildCommand("vram-cuda", new URL("../", import.meta.url));
