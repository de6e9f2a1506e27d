const SEQUENCE_DIGITS = 16;

/** CloudEvents `sequence`: a string whose order is the order of the events. */
export function formatSequence(sequence: number): string {
  return sequence.toString().padStart(SEQUENCE_DIGITS, "0");
}
