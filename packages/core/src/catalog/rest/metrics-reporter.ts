import { reportFields, sendReport, type Reporter } from '../../reporter.ts';
import type { RestSession } from './rest-session.ts';
import type { TableName } from './table-name.ts';

/** Tells the server of scans and commits, and the user's own reporter. What the server makes of it is no one's concern. */
export function metricsReporter(
  session: RestSession,
  { namespace, table, text }: TableName,
  reporter: Reporter | undefined,
): Reporter {
  return (report) => {
    sendReport(reporter, report);
    const doing = `take a report on table ${text}`;
    session.call('reportMetrics', { namespace, table, doing, body: reportFields(report) }).catch(() => undefined);
  };
}
