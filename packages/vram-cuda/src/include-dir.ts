import { fileURLToPath } from "node:url";

/** The folder of `vram_view.h`, for the include path of native code that reads views. */
export const includeDir = fileURLToPath(new URL("../include", import.meta.url));
