// A reporter for node:test that says of a test file whose process failed by itself how it ended: the others leave it out.
export default async function* crashes(events) {
  for await (const { type, data } of events) {
    const error = type === 'test:fail' ? data.details?.error : undefined;
    if (error?.failureType !== 'testCodeFailure' || (error.exitCode ?? error.signal) === undefined) continue;
    const how = error.signal ? `was ended by ${error.signal}` : `ended with code ${error.exitCode}`;
    yield `${data.name}: its process ${how}, without a test that failed\n`;
  }
}
