import { failCall, setPointerAttribute } from "vram-simulator/control";
import type { OpenResidencyOptions } from "../../src/index.js";
import type { Scene } from "./scene.js";

/** The ways in which an operation may end. */
export const EXITS = [
  "success",
  "caller error",
  "policy refusal",
  "driver failure",
  "device lost",
  "out of memory",
  "abort",
  "called while stopped",
  "stop meanwhile",
  "audit failure",
  "key unavailable",
  "tampering",
  "fn throws",
  "failed wipe",
] as const;

type Exit = (typeof EXITS)[number];

/** One exit path. */
export interface Row {
  readonly exit: Exit;
  /** Where it ends so in several ways. */
  readonly when?: string;
  readonly opening?: Partial<OpenResidencyOptions>;
  readonly arrange?: (scene: Scene) => unknown;
  /** Where the path needs another call than the operation's. */
  readonly act?: (scene: Scene) => Promise<unknown>;
  /** The error's code, or its name where it is not the package's, or what the operation resolves to. */
  readonly ends: string | undefined;
  /** The code of the error's cause. */
  readonly cause?: string;
  /** All that the operation writes into the trail, in order. */
  readonly events: readonly string[];
  readonly state: Scene["state"];
}

/** An operation with all its exit paths. */
export interface Operation {
  /** With its owner, or a function. */
  readonly method: string;
  readonly of: string;
  readonly prepare?: (scene: Scene) => Promise<unknown>;
  readonly act: (scene: Scene) => Promise<unknown>;
  /** In which ways it cannot end; of every other there are rows. */
  readonly never: readonly Exit[];
  readonly rows: readonly Row[];
}

/** CU_POINTER_ATTRIBUTE_IS_MANAGED: memory that the driver may move to the host. */
const IS_MANAGED = 8;
/** Result codes of the driver. */
export const ERROR = 1;
export const NO_ROOM = 2;
export const LOST = 719;

/** Gives the operation something else than a good argument. */
export const given = (fields: Partial<Scene>) => (scene: Scene) => Object.assign(scene, fields);

export const fails = (entryPoint: string, code: number, sticky = false) => () => {
  failCall({ entryPoint, code, sticky });
};

export const misplaced = (): void => {
  setPointerAttribute(IS_MANAGED, 1);
};

export const onLoad = (what: (scene: Scene) => unknown) => (scene: Scene) => {
  scene.onLoad = () => what(scene);
};

/** At the use of the seal key with this number, from now on. */
export const onKey = (what: (scene: Scene) => unknown, number = 1) => (scene: Scene) => {
  let uses = 0;
  scene.onKey = () => {
    uses += 1;
    return uses === number ? what(scene) : undefined;
  };
};

export const abort = ({ controller }: Scene): void => {
  controller.abort();
};

export const stopElsewhere = (scene: Scene): Promise<void> => scene.stopElsewhere();

/** From here on the trail takes nothing. */
export const endTrail = ({ audit }: Scene): Promise<void> => audit.close();

export const endKey = ({ sealKey }: Scene): Promise<void> => sealKey.close();

export const throwUnforeseen = (): never => {
  throw new TypeError("unforeseen");
};

/** Does one after the other. */
export const both =
  (first: (scene: Scene) => unknown, second: (scene: Scene) => unknown) =>
  async (scene: Scene): Promise<void> => {
    await first(scene);
    await second(scene);
  };

export const stopped = (code: string): string => `critical worker.stopped stopped ${code}`;
