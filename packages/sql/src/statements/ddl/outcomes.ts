import type { StatementOutcome } from '../catalog-statement.ts';

/** Of a statement that changed no rows: it made no snapshot. */
export const NO_ROWS: StatementOutcome = { kind: 'changed', rows: 0, snapshotId: null, scans: [] };
