/** The native files of each package that has some, as a build names them and as `prebuilds` holds them. */
export const ADDONS = {
  "vram-cuda": ["vram_cuda.node"],
  "vram-seal": ["vram_secret.node"],
  "vram-simulator": ["libvram_simulator.so", "vram_simulator_control.node", "vram_tamper.node"],
};
