import type { Command } from "commander";

/** Of every command, by its name behind `vram-residency`. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  demo: ["demo", "demo --simulate"],
  doctor: ["doctor", "doctor --audit /var/lib/worker/audit --json"],
  digest: ["digest model.safetensors", "digest *.gguf"],
  hold: [
    "hold --config /etc/vram-residency/hold.json",
    "hold --config /etc/vram-residency/hold.json --check",
    "hold model.safetensors --audit ./audit --listen 127.0.0.1:9464",
    "hold model.safetensors.index.json --audit ./audit --device 0,1 --scrub-period 600",
  ],
  "audit verify": ["audit verify /var/lib/worker/audit", "audit verify /var/lib/worker/audit --anchor /mnt/witness --resume"],
  "audit prove": ["audit prove /var/lib/worker/audit --sequence 17 > line-17.proof", "audit prove /var/lib/worker/audit --from-size 1000 > growth.proof"],
  "audit check-proof": ["audit check-proof line-17.proof --public-key \"$(cat audit.pub)\""],
  "audit query": [
    "audit query /var/lib/worker/audit --severity critical --from 2026-01-31",
    "audit query /var/lib/worker/audit --shard llama-7b-0 --type vram.shard.sealed --type vram.shard.deallocated",
    "audit query /var/lib/worker/audit --follow --json | jq -r .type",
  ],
  "audit export": [
    'audit export /var/lib/worker/audit --format ocsf | jq "select(.class_uid == 2004)"',
    "audit export /var/lib/worker/audit --format otel --worker worker-7 > worker-7.otlp.jsonl",
  ],
  "attest verify": ["attest verify attestation.json --public-key worker.pem --nonce $NONCE"],
  "key generate": ["key generate /etc/vram-residency/seal.key"],
};

/** Puts the examples behind the help of every command. @throws Error for a command without any */
export function addExamples(program: Command): void {
  for (const command of program.commands) addTo(command, command.name());
}

function addTo(command: Command, name: string): void {
  for (const each of command.commands) addTo(each, `${name} ${each.name()}`);
  if (command.commands.length > 0) return;
  const examples = EXAMPLES[name];
  if (examples === undefined) throw new Error(`no example of ${name}`);
  command.addHelpText("after", `\nExamples:\n${examples.map((example) => `  vram-residency ${example}`).join("\n")}`);
}
