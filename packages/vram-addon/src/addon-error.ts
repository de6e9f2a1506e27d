/** A file that was tried, from its package's folder, and why it was not loaded. */
export interface AddonAttempt {
  readonly file: string;
  readonly reason: string;
}

/** `platform`: there is none for this system; `absent`: none is there for this system's C library; `refused`: the system does not load the one there. */
export type AddonFailure = "platform" | "absent" | "refused";

/** No addon was loaded. The message lists what was tried, and the remedies; it has no absolute path. */
export class AddonError extends Error {
  override readonly name = "AddonError";
  readonly failure: AddonFailure;
  readonly attempts: readonly AddonAttempt[];

  constructor(failure: AddonFailure, message: string, attempts: readonly AddonAttempt[]) {
    super(message);
    this.failure = failure;
    this.attempts = attempts;
  }
}
