import { readConfigFile } from "../service/config-file.js";
import { parseConfig } from "../service/config.js";
import type { HoldConfig } from "../service/config.js";
import { checkConfig } from "./check-config.js";
import { HoldService } from "../service/hold-service.js";
import { openNotifier } from "../service/notifier.js";
import { openConfigured } from "../service/open-parts.js";
import type { OpenedResidency } from "../service/open-parts.js";
import { Web } from "../service/web.js";
import type { Feed } from "../service/web.js";
import { webParts } from "../service/web-parts.js";
import { chooseDriver } from "./driver-choice.js";
import type { SimulateOption } from "./driver-choice.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Interrupt } from "./interrupt.js";
import type { Output } from "./output.js";
import { progressLine } from "./progress.js";

export interface HoldOptions {
  readonly simulate?: SimulateOption;
  /** The configuration's file; nothing else says then what to hold. */
  readonly config?: string;
  /** Tell whether the configuration is good, and hold nothing. */
  readonly check?: true;
  readonly audit?: string;
  readonly key?: string;
  readonly workerId?: string;
  readonly device?: string;
  /** Seconds in which everything is verified once in the background; 0: never. */
  readonly scrubPeriod?: number;
  readonly listen?: string;
}

/** Seals models and keeps them in device memory until a signal comes or the worker stops; then wipes them. */
export async function hold(models: readonly string[], options: HoldOptions, output: Output, interrupt: Interrupt): Promise<ExitCode> {
  const readConfig = configReader(models, options);
  const config = await readConfig();
  if (options.check === true) return checkConfig(config, output);
  if (config.sealKey.ephemeral === true) output.notice("The seals are made with a random key that ends with this process.");
  const { opened, web } = await open(config, options, output);
  const progress = progressLine();
  const service = new HoldService(config, {
    ...{ opened, web, readConfig, signal: interrupt.signal },
    notifier: openNotifier(process.env, (line) => { output.notice(line); }),
    teller: {
      say: (line) => {
        progress.end();
        output.say(line);
      },
      notice: (line) => { output.notice(line); },
    },
    onProgress: (done) => { progress.update(done); },
  });
  interrupt.waitFor(() => `still wiping; ${opened.residency.capacity().usedBytes} bytes of device memory are left`);
  if (options.config !== undefined) interrupt.onHangUp(() => { service.reload(); });
  try {
    await service.run();
  } finally {
    progress.end();
    const { shards } = service;
    await service.close();
    tellEnd(opened, shards, output);
  }
  return EXIT.good;
}

/** The file, or the arguments as a configuration. */
function configReader(models: readonly string[], options: HoldOptions): () => Promise<HoldConfig> {
  const { config: file, audit, key, workerId, device, scrubPeriod, listen } = options;
  if (file !== undefined) return () => readConfigFile(file);
  const given = {
    workerId: workerId ?? "hold",
    sealKey: key === undefined ? { ephemeral: true } : { file: key },
    audit: { dir: audit },
    models: models.map((path) => ({ path })),
    scrub: scrubPeriod === 0 ? false : { periodSeconds: scrubPeriod },
    ...(device !== undefined && { devices: device.split(",").map((each) => (/^[0-9]+$/.test(each) ? Number(each) : each)) }),
    ...(listen !== undefined && { serve: { listen } }),
  };
  return () => Promise.resolve(parseConfig(given, process.cwd()));
}

interface Opened {
  readonly opened: OpenedResidency;
  readonly web: Web<Feed> | undefined;
}

async function open(config: HoldConfig, { simulate }: HoldOptions, output: Output): Promise<Opened> {
  const driver = await chooseDriver(simulate, output);
  const web = config.serve === undefined ? undefined : await Web.prepare(webParts, config.serve);
  try {
    return { opened: await openConfigured(config, driver), web };
  } catch (error) {
    await web?.close();
    throw error;
  }
}

function tellEnd({ residency }: OpenedResidency, shards: HoldService["shards"], output: Output): void {
  const { usedBytes } = residency.capacity();
  const wiped = usedBytes === 0;
  output.say(wiped ? `Wiped, checked and freed ${shards.length} shards.` : `NOT WIPED: ${usedBytes} bytes of device memory.`);
  output.result({ shards: shards.map((shard) => shard.toJSON()), wiped });
}
