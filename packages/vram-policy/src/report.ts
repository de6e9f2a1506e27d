import type { PolicyRule } from "./rules.js";

/**
 * `pass`: holds. `violated`: refused. `waived`: would be refused, but the policy allows it. `reported`: told, never judged.
 */
export type Verdict = "pass" | "violated" | "waived" | "reported";

/** One rule's verdict, with its reason in a sentence and, where something can be done about it, the remedy. */
export interface RuleResult {
  /** Stable id in kebab-case. */
  readonly rule: PolicyRule;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly remedy: string | null;
}

/** Every rule that was looked at, with its verdict. */
export interface PolicyReport {
  /** True when no rule is violated. */
  readonly ok: boolean;
  readonly rules: readonly RuleResult[];
  /** The violated rules, all of them, each with a remedy. */
  readonly violations: readonly RuleResult[];
}

export function reportOf(rules: readonly RuleResult[]): PolicyReport {
  rules.forEach((rule) => Object.freeze(rule));
  const violations = rules.filter(({ verdict }) => verdict === "violated");
  return Object.freeze({ ok: violations.length === 0, rules: Object.freeze([...rules]), violations: Object.freeze(violations) });
}

/** Several reports as one. */
export function joinReports(...reports: readonly PolicyReport[]): PolicyReport {
  return reportOf(reports.flatMap(({ rules }) => rules));
}

export interface RequiredFact<T> {
  readonly rule: PolicyRule;
  /** Absent, like null: could not be read. */
  readonly fact: T | null | undefined;
  /** Whether the fact is as it must be. Compare with `===`: a fact of another type must not hold. */
  readonly holds: (fact: T) => boolean;
  readonly good: string;
  readonly bad: string;
  /** Who would tell the fact; default: the driver. */
  readonly teller?: string;
  readonly remedy: string;
  /** The policy allows the fact to be otherwise. */
  readonly waived?: boolean;
}

/** Judges a fact that the rule needs: one that could not be read violates it. */
export function requireFact<T>(required: RequiredFact<T>): RuleResult {
  const { rule, fact, holds, good, bad, teller = "the driver", remedy, waived = false } = required;
  const unread = fact === null || fact === undefined;
  if (!unread && holds(fact)) return { rule, verdict: "pass", reason: good, remedy: null };
  const reason = unread ? `${teller} does not tell whether ${good}` : bad;
  return waived ? { rule, verdict: "waived", reason, remedy: null } : { rule, verdict: "violated", reason, remedy };
}

export function report(rule: PolicyRule, reason: string): RuleResult {
  return { rule, verdict: "reported", reason, remedy: null };
}

export const isTrue = (fact: unknown): boolean => fact === true;
export const isFalse = (fact: unknown): boolean => fact === false;
