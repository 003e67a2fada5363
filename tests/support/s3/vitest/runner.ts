import { type RunnerTask, type RunnerTestSuite, TestRunner, inject } from 'vitest';

/** Leaves out every test, with its hooks, where there is no S3 server. */
export default class S3TestRunner extends TestRunner {
  readonly #missing: string | null;

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    const place = inject('s3');
    this.#missing = 'missing' in place ? place.missing : null;
  }

  override onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    const hooks = this.#missing === null ? [] : Object.values(TestRunner.getSuiteHooks(suite));
    for (const each of hooks) each.length = 0;
    return super.onBeforeRunSuite(suite);
  }

  override onBeforeTryTask(test: RunnerTask): void {
    if (this.#missing !== null && test.type === 'test') test.context.skip(this.#missing);
    super.onBeforeTryTask(test);
  }
}
