#!/usr/bin/env node
import { runCommandLine } from "./command/program.js";

process.exitCode = await runCommandLine(process.argv.slice(2));
