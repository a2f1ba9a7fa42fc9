// A reporter for node:test that adds what the others leave out: how the process of a test file ended that failed by itself,
// and at the end, each reason for which tests were skipped, once.
export default async function* closingLines(events) {
  const reasons = new Set();
  for await (const { type, data } of events) {
    if (typeof data.skip === 'string') reasons.add(data.skip);
    const error = type === 'test:fail' ? data.details?.error : undefined;
    if (error?.failureType !== 'testCodeFailure' || (error.exitCode ?? error.signal) === undefined) continue;
    const how = error.signal ? `was ended by ${error.signal}` : `ended with code ${error.exitCode}`;
    yield `${data.name}: its process ${how}, without a test that failed\n`;
  }
  for (const reason of reasons) yield `== skipped tests: ${reason}\n`;
}
