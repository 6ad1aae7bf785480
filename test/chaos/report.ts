import type { ChaosReport } from './chaos.ts';

const SERVICES = ['slack', 'notion', 'sheets', 'hook'];

/** What must not be: a line each. */
export function problemsOf({ verdict, early, struck, calamities }: ChaosReport): string[] {
  const found = Object.entries(verdict).flatMap(([kind, services]) =>
    Object.entries(services as Record<string, string[]>).flatMap(([service, what]) =>
      what.map((each) => `${kind} at ${service}: ${each}`),
    ),
  );
  // Only a process that died counts against what it had under way.
  const unfair =
    struck > 0 && !calamities['kill -9'] ? [`${struck} deliveries given up, though no relay was killed`] : [];
  return [
    ...found,
    ...unfair,
    ...early.map(({ service, ms }) => `a call to ${service} ${ms} ms after a Retry-After of 1 s`),
  ];
}

/** What the logs tell of the first interview that has a problem. */
function historyOfFirst(report: ChaosReport): string[] {
  const [problem = ''] = problemsOf(report);
  const subject = /int_\d+/.exec(problem)?.[0];
  return subject === undefined ? [] : report.history(subject);
}

/** The figures, and below them each problem. */
export function printReport(report: ChaosReport): string {
  const { seed, calamities, events, verdict, early, repeats, struck, seconds } = report;
  const counts = (kind: keyof typeof verdict) =>
    SERVICES.map((service) => String(verdict[kind][service]?.length ?? 0).padStart(7)).join('');
  return [
    `${Object.entries(calamities)
      .map(([what, times]) => `${times} × ${what}`)
      .join(', ')}`,
    `${events} acknowledged events, ${seconds} s, seed ${seed}`,
    `         ${SERVICES.map((service) => service.padStart(7)).join('')}`,
    `lost     ${counts('lost')}`,
    `doubled  ${counts('doubled')}`,
    `wrong    ${counts('wrong')}`,
    `calls during a Retry-After: ${early.length}`,
    `webhook calls repeated under their id, which an endpoint drops: ${repeats}`,
    `deliveries given up after three kills in a row, and retried: ${struck}`,
    ...problemsOf(report).slice(0, 20),
    ...historyOfFirst(report),
    ...(problemsOf(report).length > 0
      ? [`the same dice again: npm run chaos -- --seed ${seed}, with the same other options`]
      : []),
    '',
  ].join('\n');
}
