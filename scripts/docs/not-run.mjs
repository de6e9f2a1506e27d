// Commands of the documents that are not run, each with its reason. An entry that matches no command fails.
export const NOT_RUN = [
  { command: /^apt-get install /, reason: "changes the machine" },
  { command: /^systemd-creds encrypt /, reason: "needs the machine's own key, and root" },
  { command: /^tpm2_ptool /, reason: "needs a TPM; scripts/setup-hsm.mjs has one in software for the tests" },
  { command: /^(git clone --no-checkout|git -C pointers|hf download) /, reason: "needs a hub on the network" },
  { command: /^npm (audit signatures|pack )/, reason: "needs what was published" },
  { command: /^sha256sum rebuilt/, reason: "compares with what was published" },
  { command: /^fsverity (enable|measure) /, reason: "needs a file system with fs-verity" },
];
