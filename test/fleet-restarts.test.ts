import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostFailures } from '../src/coordinator/fleet/members/host-failures.js';
import { RestartPolicy } from '../src/coordinator/fleet/local-workers/restart-policy.js';

describe('a place where workers fail', () => {
  it('is used again at once, then after growing pauses, and given up at the fifth failure in a row', () => {
    const policy = new RestartPolicy();
    assert.deepEqual(
      [1, 2, 3, 4].map(() => policy.failed()),
      [0, 1_000, 2_000, 4_000],
    );
    assert.equal(policy.givenUp, false);
    assert.equal(policy.failed(), undefined);
    assert.equal(policy.givenUp, true);
    assert.equal(policy.failures, 5);
  });

  it('is forgiven after five steps in a row, and not before', () => {
    const policy = new RestartPolicy();
    policy.failed();
    policy.failed();
    for (let step = 0; step < 4; step++) policy.served();
    assert.equal(policy.failed(), 2_000);
    for (let step = 0; step < 4; step++) policy.served();
    assert.equal(policy.failures, 3, 'the steps before the last failure do not count');
    policy.served();
    assert.equal(policy.failed(), 0);
  });
});

describe('another machine', () => {
  it('is given up by name when workers that came one after the other have failed five times', () => {
    const hosts = new HostFailures();
    for (let failure = 1; failure <= 5; failure++) {
      assert.equal(hosts.refusal('gpu-a'), undefined);
      hosts.failed({ host: 'gpu-a', since: 10 * failure }, 10 * failure + 5);
    }
    assert.equal(hosts.refusal('gpu-a'), 'its host gpu-a failed 5 times in a row and was given up');
    assert.equal(hosts.refusal('gpu-b'), undefined);
  });

  it('fails once where all its workers are lost at once, as by its network', () => {
    const hosts = new HostFailures();
    for (let outage = 1; outage <= 4; outage++)
      for (let worker = 0; worker < 8; worker++)
        hosts.failed({ host: 'gpu-a', since: 100 * outage + worker }, 100 * outage + 50 + worker);
    assert.equal(hosts.refusal('gpu-a'), undefined);
    hosts.failed({ host: 'gpu-a', since: 500 }, 501);
    assert.match(hosts.refusal('gpu-a') ?? '', /failed 5 times/);
  });

  it('is forgiven when its workers have served', () => {
    const hosts = new HostFailures();
    for (let failure = 1; failure <= 4; failure++) hosts.failed({ host: 'gpu-a', since: failure }, failure);
    for (let step = 0; step < 5; step++) hosts.served('gpu-a');
    hosts.failed({ host: 'gpu-a', since: 5 }, 6);
    assert.equal(hosts.refusal('gpu-a'), undefined);
    hosts.served('somebody who never failed');
  });

  it('is forgotten when 256 others have failed since', () => {
    const hosts = new HostFailures();
    for (let failure = 1; failure <= 5; failure++) hosts.failed({ host: 'first', since: failure }, failure);
    for (let other = 0; other < 255; other++) hosts.failed({ host: `other-${other}`, since: 10 }, 11);
    assert.notEqual(hosts.refusal('first'), undefined);
    hosts.failed({ host: 'one too many', since: 10 }, 11);
    assert.equal(hosts.refusal('first'), undefined);
  });
});
