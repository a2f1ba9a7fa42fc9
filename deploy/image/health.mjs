// HEALTHCHECK of the image: asks the coordinator of this container whether it lives.
const url = process.env.DCGAN_HEALTH_URL ?? 'http://127.0.0.1:9464/healthz';
try {
  const { status } = await fetch(url, { signal: AbortSignal.timeout(4000) });
  if (status !== 200) throw new Error(`it answers ${status}`);
} catch (error) {
  console.log(`unhealthy: ${url}: ${error.cause?.message || error.cause?.code || error.message}`);
  process.exitCode = 1;
}
