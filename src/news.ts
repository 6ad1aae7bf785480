/** Something that the people who run the relay should know. */
export type News =
  | { kind: 'failed'; destination: string; delivery: string; subject: string; detail: string; fix: string }
  | { kind: 'halted'; destination: string; detail: string; fix: string }
  | { kind: 'down'; destination: string; detail: string }
  | { kind: 'quarantined'; event: string; reason: string }
  | { kind: 'signatures'; source: string; failures: number }
  | { kind: 'config'; lines: string[] };
