import type { Command } from 'commander';
import { coordinatorCommand } from '../../../src/cli/commands.js';
import type { TrainArguments } from '../../../src/options/train-options.js';
import { workerCommand, type WorkerOptions } from '../../../src/worker/options.js';
import type { Container, JobSpec, KubernetesObject } from './objects.js';

/** The manifests of one run, with JobSet or without. */
export class RunManifests {
  /** By the component they are of: coordinator, worker. */
  readonly jobs: ReadonlyMap<string, JobSpec>;

  constructor(readonly objects: readonly KubernetesObject[]) {
    this.jobs = new Map(
      objects
        .flatMap((object) => jobsOf(object))
        .map((spec) => [spec.template.metadata.labels['app.kubernetes.io/component'], spec]),
    );
  }

  get coordinator(): JobSpec {
    return this.#job('coordinator');
  }

  get worker(): JobSpec {
    return this.#job('worker');
  }

  /** How many pods there are when all are. */
  get pods(): number {
    return [...this.jobs.values()].reduce((sum, { parallelism }) => sum + parallelism, 0);
  }

  /** The spec of the only object of its kind with this name, or of any name. */
  spec(kind: string, name?: string): unknown {
    const found = this.objects.filter(
      (one) => one.kind === kind && (name ?? one.metadata.name) === one.metadata.name,
    );
    if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
    return found[0].spec;
  }

  /** The specs of all objects of a kind, by name. */
  specs(kind: string): ReadonlyMap<string, unknown> {
    return new Map(
      this.objects.filter((one) => one.kind === kind).map(({ metadata, spec }) => [metadata.name, spec]),
    );
  }

  #job(component: string): JobSpec {
    const job = this.jobs.get(component);
    if (!job) throw new Error(`there is no ${component}`);
    return job;
  }
}

function jobsOf({ kind, spec }: KubernetesObject): JobSpec[] {
  if (kind === 'Job') return [spec as JobSpec];
  if (kind !== 'JobSet') return [];
  const { replicatedJobs } = spec as { replicatedJobs: { template: { spec: JobSpec } }[] };
  return replicatedJobs.map(({ template }) => template.spec);
}

/** The only container of a Job's pods. */
export function containerOf({ template }: JobSpec): Container {
  const [container, ...others] = template.spec.containers;
  if (others.length > 0) throw new Error('there is more than one container');
  return container;
}

/** What the coordinator itself reads out of its arguments; throws where it would not take them. */
export async function trainArgumentsOf({ args }: Container): Promise<TrainArguments> {
  if (args[0] !== 'coordinator') throw new Error(`${args[0]} is not the coordinator`);
  const program = coordinatorCommand();
  let given: TrainArguments | undefined;
  const train = program.commands.find((command) => command.name() === 'train') as Command;
  train.action((options: TrainArguments) => {
    given = options;
  });
  await refusing(program).parseAsync(args.slice(1), { from: 'user' });
  if (!given) throw new Error('it does not train');
  return given;
}

/** The same for a worker. */
export async function workerOptionsOf({ args }: Container): Promise<WorkerOptions> {
  if (args[0] !== 'worker') throw new Error(`${args[0]} is not the worker`);
  let given: WorkerOptions | undefined;
  const program = workerCommand((options) => {
    given = options;
    return Promise.resolve();
  });
  await refusing(program).parseAsync(args.slice(1), { from: 'user' });
  if (!given) throw new Error('it does not work');
  return given;
}

/** An error instead of the end of the process. */
function refusing(program: Command): Command {
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeErr: () => {} });
  return program;
}
