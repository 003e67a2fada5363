import type { Commit, Expression, Literal, NestedField, Table } from '@lh/core';
import { expr } from '@lh/core';
import { defaultValue, invalidArgument, isUnpartitioned } from '@lh/core/engine';
import type { QueryText } from '../../query/query-text.ts';
import { applyEdits } from '../../text/edits.ts';
import type { Edit } from '../../text/edits.ts';
import { quoteName } from '../../text/quote.ts';
import { pointAt } from '../../text/tokens.ts';
import { duckdbType } from '../../types/duckdb-types.ts';
import { valueLiteral } from '../../types/value-literal.ts';
import { checkWidth } from '../../write/query-columns.ts';
import type { QueryData } from '../../write/query-data.ts';
import type { CatalogStatement, StatementContext, StatementOutcome, Target } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { insertTarget, parseInsert } from './insert-syntax.ts';
import type { InsertStatement, InsertedQuery, PartitionValue } from './insert-syntax.ts';
import { tableColumn, tableColumns } from './table-columns.ts';
import type { NamedToken } from './table-columns.ts';
import { valueEdits } from './inserted-values.ts';

/** INSERT INTO and INSERT OVERWRITE of a catalog's table: DuckDB runs the query, and writes the rows as data files. */
export function insertStatement(text: StatementText): CatalogStatement | null {
  const name = insertTarget(text);
  if (name === null) return null;
  return {
    async run(context) {
      const target = await context.target(name);
      return target && new Insert(text, parseInsert(text), target, context).run();
    },
  };
}

/** The outcome of a statement that has written rows. */
export function insertedRows({ rowCount, scans }: QueryData, commit: Commit | null): StatementOutcome {
  const snapshotId = commit?.changed ? commit.snapshotId : null;
  return { kind: 'changed', done: 'inserted', rows: rowCount, snapshotId, scans };
}

class Insert {
  readonly #text: StatementText;
  readonly #statement: InsertStatement;
  readonly #target: Target;
  readonly #context: StatementContext;

  constructor(text: StatementText, statement: InsertStatement, target: Target, context: StatementContext) {
    this.#text = text;
    this.#statement = statement;
    this.#target = statement.branch === null ? target : { ...target, branch: statement.branch };
    this.#context = context;
  }

  async run(): Promise<StatementOutcome> {
    const { overwrites, partition } = this.#statement;
    const constants = partition.filter((one): one is Constant => one.value !== null);
    for (const one of partition) this.#partitionField(one);
    const data = await this.#data(constants);
    const filter = overwrites && constants.length > 0 ? await this.#partitionFilter(constants) : null;
    const commit = await this.#context.change(this.#target, (transaction) => {
      if (!overwrites) return transaction.append(data);
      if (filter !== null) return transaction.overwrite(data, { filter });
      return isUnpartitioned(transaction.spec) ? transaction.overwrite(data) : transaction.overwritePartitions(data);
    });
    return insertedRows(data, commit);
  }

  async #data(constants: readonly Constant[]): Promise<QueryData> {
    const { source, byName } = this.#statement;
    const { fields } = this.#table.schema;
    if (source.kind === 'defaults') {
      const given = new Map(constants.map((one) => [this.#field(one), this.#constant(one)]));
      const values = fields.map(
        (field) => given.get(field) ?? `${this.#defaultOf(field, null)} AS ${quoteName(field.name)}`,
      );
      return this.#context.rows(`SELECT ${values.join(', ')}`);
    }
    const fixed = new Set(constants.map((one) => this.#field(one)));
    const listed = tableColumns(this.#table, this.#statement.columns, (message, token) => this.#error(message, token));
    const wanted = listed.filter((field) => !fixed.has(field));
    const query = this.#query(source, wanted);
    const columns = byName ? undefined : wanted.map(({ name }) => name);
    if (constants.length === 0) return this.#context.rows(query.sql, { columns, origin: query });
    const values = constants.map((one) => this.#constant(one));
    const sql = `SELECT *, ${values.join(', ')} FROM (\n${query.sql}\n)`;
    if (columns === undefined) return this.#context.rows(sql, { origin: query });
    const described = await this.#context.run(`SELECT * FROM (\n${query.sql}\n) LIMIT 0`);
    checkWidth(described.columns.length, columns);
    const names = [...columns, ...constants.map((one) => this.#field(one).name)];
    return this.#context.rows(sql, { columns: names, origin: query });
  }

  #constant(constant: Constant): string {
    const { name, type } = this.#field(constant);
    return `CAST(${constant.value} AS ${duckdbType(type)}) AS ${quoteName(name)}`;
  }

  get #table(): Table {
    return this.#target.table;
  }

  /** The query's text: WITH from before INSERT, then the query itself with the defaults of columns. */
  #query({ first, next, verb, values }: InsertedQuery, wanted: readonly NestedField[]): QueryText {
    const { sql, tokens, source } = this.#text;
    const end = tokens[next - 1]!.end;
    const hasWith = verb > 0;
    const edits: readonly Edit[] = [
      { start: tokens[verb]!.start, end: tokens[first]!.start, text: hasWith ? '(' : '' },
      ...valueEdits(tokens, values, wanted, (field, token) => this.#defaultOf(field, token)),
      ...(hasWith ? [{ start: end, end, text: ')' }] : []),
    ];
    const edited = applyEdits(sql, edits);
    return { sql: edited.text, source, toSource: (offset) => this.#text.toSource(edited.toOriginal(offset)) };
  }

  /** What a column has in rows that don't give it (spec: "Default values"). */
  #defaultOf(field: NestedField, token: number | null): string {
    const value = defaultValue(field, 'writeDefault');
    if (value === null && field.required) {
      throw this.#error(`The column '${field.name}' is required, and has no default.`, token ?? 0);
    }
    return valueLiteral(field.type, value);
  }

  #field(column: NamedToken): NestedField {
    return tableColumn(this.#table, column, (message, token) => this.#error(message, token));
  }

  #partitionField(value: PartitionValue): void {
    const { id, name } = this.#field(value);
    const isPartitioned = this.#table.spec.fields.some(
      ({ transform, sourceIds }) => transform.kind === 'identity' && sourceIds[0] === id,
    );
    if (isPartitioned) return;
    throw this.#error(
      `Table ${this.#table.name} is not partitioned by the column '${name}' itself, so it can't be named in PARTITION.`,
      value.token,
    );
  }

  /** The rows of the partition that is named. */
  async #partitionFilter(constants: readonly Constant[]): Promise<Expression> {
    const casts = constants.map((one, i) => `CAST(${one.value} AS ${duckdbType(this.#field(one).type)}) AS v${i}`);
    const [row] = await (await this.#context.run(`SELECT ${casts.join(', ')}`)).rows();
    return expr.and(
      ...constants.map((one, i) => {
        const { name } = this.#field(one);
        const value = row?.[`v${i}`] as Literal | null;
        if (value === null) return expr.isNull(name);
        return Number.isNaN(value) ? expr.isNaN(name) : expr.eq(name, value);
      }),
    );
  }

  #error(message: string, token: number): Error {
    const offset = this.#text.toSource(this.#text.tokens[token]!.start);
    return invalidArgument(`${message}\n${pointAt(this.#text.source, offset)}`, { position: offset });
  }
}

type Constant = PartitionValue & { readonly value: string };
