import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { createKeyFile } from "vram-seal";
import { attestVerify } from "./attest-verify.js";
import type { AttestVerifyOptions } from "./attest-verify.js";
import { auditCheckProof } from "./audit-check-proof.js";
import type { AuditCheckProofOptions } from "./audit-check-proof.js";
import { auditProve } from "./audit-prove.js";
import type { AuditProveOptions, ProofClaim } from "./audit-prove.js";
import { auditExport, EXPORT_FORMATS } from "./audit-export.js";
import type { AuditExportOptions } from "./audit-export.js";
import { withFilterOptions } from "./audit-filter.js";
import { auditQuery } from "./audit-query.js";
import type { AuditQueryOptions } from "./audit-query.js";
import { auditVerify } from "./audit-verify.js";
import type { AuditVerifyOptions } from "./audit-verify.js";
import { demo } from "./demo.js";
import type { DemoOptions } from "./demo.js";
import { digest } from "./digest.js";
import { doctor } from "./doctor.js";
import type { DoctorOptions } from "./doctor.js";
import { addExamples } from "./examples.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import { hold } from "./hold.js";
import type { HoldOptions } from "./hold.js";
import { Interrupt } from "./interrupt.js";
import { Output } from "./output.js";
import { StandardStreams } from "./standard-streams.js";

const EXIT_HELP = `
Exit codes: 0 good, 1 failed, 2 wrong use, 3 verification or policy refused; 129, 130 and 143 interrupted.`;

type Action = (output: Output) => Promise<ExitCode>;

/**
 * Runs one command line (without node and script) and answers the exit code. Output that was lost is a failure, unless its
 * reader left: that is how `head` says it has enough.
 */
export async function runCommandLine(argv: readonly string[]): Promise<ExitCode> {
  const streams = new StandardStreams();
  const code = await parseAndRun(argv);
  const lost = await streams.flush();
  if (lost === undefined || lost.code === "EPIPE") return code;
  process.stderr.write(`cannot write to stdout: ${lost.code ?? "unknown error"}\n`);
  return code === EXIT.good ? EXIT.failed : code;
}

async function parseAndRun(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.good;
  const program = createProgram(async ({ json = false }, action) => {
    code = await run(json, action);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.good : EXIT.wrongUse;
  }
  return code;
}

async function run(json: boolean, action: Action): Promise<ExitCode> {
  const output = new Output({ json });
  try {
    return await action(output);
  } catch (error) {
    output.fail(error);
    return exitCodeOf(error);
  }
}

/** An action that a signal ends in order, because it holds device memory or goes through long files. */
function interruptible(
  action: (output: Output, interrupt: Interrupt) => Promise<ExitCode>,
  ending = "wiping device memory, then ending",
): Action {
  return async (output) => {
    const interrupt = new Interrupt(ending);
    try {
      const code = await action(output, interrupt);
      return interrupt.exitCode ?? code;
    } catch (error) {
      // What a signal broke off is no failure of its own; a refusal is.
      if (interrupt.exitCode !== undefined && exitCodeOf(error) !== EXIT.refused) return interrupt.exitCode;
      throw error;
    } finally {
      interrupt[Symbol.dispose]();
    }
  };
}

interface CommonOptions {
  readonly json?: boolean;
}

interface ClaimOptions {
  readonly sequence?: number;
  readonly fromSize?: number;
}

function createProgram(perform: (options: CommonOptions, action: Action) => Promise<void>): Command {
  const program = new Command("vram-residency")
    .description("Seals model weights in GPU memory and re-verifies them there before every execution.")
    .addHelpText("after", EXIT_HELP)
    .exitOverride()
    .showSuggestionAfterError();
  const command = (name: string, description: string, parent = program): Command =>
    parent.command(name).description(description).option("--json", "print one JSON value on stdout");

  command("demo", "seal, verify, execute, flip a bit, see it refused, wipe, verify the audit log")
    .addOption(simulateOption())
    .option("--default-policy", "do not allow the simulator: the policy of a production worker")
    .option("--audit <dir>", "keep the audit log in this folder")
    .action((options: DemoOptions & CommonOptions) =>
      perform(options, interruptible((output, interrupt) => demo(options, output, interrupt))),
    );
  command("doctor", "report the driver, its devices, every policy rule with its verdict, and damage")
    .addOption(simulateOption())
    .option("--audit <dir>", "report the damage, too, that this audit log tells of")
    .action((options: DoctorOptions & CommonOptions) => perform(options, (output) => doctor(options, output)));
  command("digest", "print the fs-verity digest of files, as the fsverity command does")
    .argument("<file...>")
    .action((files: string[], options: CommonOptions) =>
      perform(options, interruptible((output, interrupt) => digest(files, output, interrupt))),
    );

  command("hold", "seal models, verify them in the background, and keep them in device memory until a signal wipes them")
    .argument("[model...]", "model files, or the .index.json of a sharded model")
    .option("--config <file>", "what to hold and how, as JSON; SIGHUP reads it again")
    .option("--check", "tell whether the configuration is good, and hold nothing")
    .option("--audit <dir>", "the audit log's folder")
    .option("--key <file>", "the seal key's file; default: a random key that ends with the process")
    .option("--worker-id <id>", 'who this worker is in seals and events; default: "hold"')
    .option("--scrub-period <seconds>", "verify everything once in this time, in the background; default: 3600; 0: never", readSeconds)
    .option("--device <device>", 'ordinal or "GPU-<uuid>", or several with commas between; default: 0')
    .option("--listen <address>", 'serve the dashboard, metrics and health at "127.0.0.1:9464", "[::1]:9464" or "unix:/path"')
    .addOption(simulateOption())
    .action((models: string[], options: HoldOptions & CommonOptions, held: Command) => {
      assertOneSource(models, options, held);
      return perform(options, interruptible((output, interrupt) => hold(models, options, output, interrupt)));
    });

  const audit = program.command("audit").description("work on an audit log");
  command("verify", "check an audit log and name the first line that is wrong", audit)
    .argument("<dir>")
    .option("--public-key <key>", "the log's public key, known from elsewhere than the log")
    .option("--anchor <path>", "an anchor's folder, or a file with a checkpoint that was kept elsewhere: shows a tail that was cut")
    .option("--resume", "begin at the anchor's checkpoint, at which the log was verified before; needs --anchor")
    .action((dir: string, options: AuditVerifyOptions & CommonOptions, verify: Command) => {
      if (options.resume === true && options.anchor === undefined) verify.error("error: --resume needs --anchor");
      return perform(options, (output) => auditVerify(dir, options, output));
    });
  command("prove", "print a proof that a line is in an audit log, or that the log continues an older checkpoint", audit)
    .argument("<dir>")
    .addOption(new Option("--sequence <number>", "the line to prove, from 1").argParser(readPosition).conflicts("fromSize"))
    .addOption(new Option("--from-size <lines>", "how many lines the older checkpoint has").argParser(readPosition))
    .option("--public-key <key>", "the log's public key, known from elsewhere than the log")
    .action((dir: string, options: AuditProveOptions & ClaimOptions & CommonOptions, prove: Command) => {
      const claim = readClaim(options, prove);
      return perform(options, (output) => auditProve(dir, claim, options, output));
    });
  command("check-proof", "check what \"audit prove\" printed; needs nothing of the log but its public key", audit)
    .argument("<file>")
    .requiredOption("--public-key <key>", "the log's public key")
    .option("--checkpoint <file>", "the older checkpoint, for a proof that the log continues it")
    .action((file: string, options: AuditCheckProofOptions & CommonOptions) =>
      perform(options, (output) => auditCheckProof(file, options, output)),
    );

  withFilterOptions(audit.command("query").description("print the events of an audit log, which verify checks and this does not"))
    .argument("<dir>")
    .option("--follow", "go on with the events that are added, until a signal")
    .option("--json", "print the lines as the log has them, each a JSON value")
    .action((dir: string, options: AuditQueryOptions) =>
      perform(options, interruptible((output, { signal }) => auditQuery(dir, options, output, signal), "ending")),
    );
  withFilterOptions(audit.command("export").description("print the events of an audit log for other systems, one JSON value a line"))
    .argument("<dir>")
    .addOption(new Option("--format <format>", "OCSF 1.8, OTLP in JSON, or the lines as they are").choices(EXPORT_FORMATS).makeOptionMandatory())
    .option("--json", "say nothing: what is printed is JSON in any case")
    .action((dir: string, options: AuditExportOptions) =>
      perform({}, interruptible((output, { signal }) => auditExport(dir, options, output, signal), "ending")),
    );

  const attest = program.command("attest").description("work on attestations");
  command("verify", "check an attestation, which a worker signed for a nonce; needs no GPU", attest)
    .argument("<file>", "the envelope, as residency.attest() gives it")
    .requiredOption("--public-key <file>", "the signer's Ed25519 public key in PEM, known from elsewhere than the worker")
    .requiredOption("--nonce <hex>", "the nonce that the worker was given", readNonce)
    .option("--max-age <seconds>", "how long ago the worker may have been asked; default: 300", readSeconds)
    .option("--allow-process-key", "accept a key that the attested process made for itself")
    .addOption(new Option("--allow-backend <backend...>", "accept shards on these backends; default: cuda").choices(["cuda", "simulator", "custom"]))
    .action((file: string, options: AttestVerifyOptions & CommonOptions) =>
      perform(options, (output) => attestVerify(file, options, output)),
    );

  const key = program.command("key").description("work on seal keys");
  command("generate", "make a key file of 32 random bytes, mode 0600", key)
    .argument("<file>")
    .action((file: string, options: CommonOptions) => perform(options, (output) => keyGenerate(file, output)));
  addExamples(program);
  return program;
}

function simulateOption(): Option {
  return new Option("--simulate [when]", "use the simulator instead of a GPU").choices(["always", "if-no-gpu"]).preset("always");
}

function readNonce(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2}){16,64}$/i.test(hex)) throw new InvalidArgumentError("It must be 32 to 128 hexadecimal digits.");
  return Buffer.from(hex, "hex");
}

function readSeconds(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of seconds.");
  return Number(text);
}

/** Either a configuration or the arguments say what to hold. */
function assertOneSource(models: readonly string[], options: HoldOptions, command: Command): void {
  const { config, audit, key, workerId, scrubPeriod, device, listen } = options;
  if (config === undefined) {
    if (models.length === 0) command.error("error: a model or --config is required");
    if (audit === undefined) command.error("error: --audit or --config is required");
    return;
  }
  const given = [models[0], audit, key, workerId, scrubPeriod, device, listen];
  if (given.some((value) => value !== undefined)) command.error("error: with --config, the file alone says what to hold");
}

function readPosition(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}

function readClaim({ sequence, fromSize }: ClaimOptions, command: Command): ProofClaim {
  if (sequence !== undefined) return { sequence };
  if (fromSize !== undefined) return { fromSize };
  return command.error("error: one of --sequence and --from-size is required");
}

async function keyGenerate(file: string, output: Output): Promise<ExitCode> {
  await createKeyFile(file);
  output.say(`Key written to ${file}, readable by you alone.`);
  output.result({ file });
  return EXIT.good;
}
