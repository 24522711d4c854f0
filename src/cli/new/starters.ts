/** The first text of a spec of each kind. Every line that is commented out may be used as it stands. */

export interface StarterFlags {
  readonly name: string;
  readonly image: string;
  /** Of a Queue. */
  readonly source: { readonly connection: string; readonly queue: string };
  /** Of a Run. */
  readonly target: { readonly kind: 'workflow' | 'template'; readonly name: string };
}

/** What there is a first text of: each kind, and of Queues one more. */
export type StarterKind = 'queue' | 'message-queue' | 'workflow' | 'template' | 'run' | 'limits';

export const starterKinds: readonly StarterKind[] = ['queue', 'message-queue', 'workflow', 'template', 'run', 'limits'];

/** The spec, as the data key spec.yaml has it. */
export const starters: Readonly<Record<StarterKind, (flags: StarterFlags) => string>> = { queue, 'message-queue': messageQueue, workflow, template, run, limits };

/** The kind of the spec, as the label of its ConfigMap has it. */
export function labelOf(starter: StarterKind): string {
  return starter === 'message-queue' ? 'queue' : starter;
}

function head(kind: string): string {
  return `# All fields: job-chief explain ${kind.toLowerCase()}. Check it with job-chief lint.
apiVersion: job-chief/v1
kind: ${kind}`;
}

function queue({ image, source }: StarterFlags): string {
  return `${head('Queue')}
# Where work waits: a connection of the operator's configuration, and the queue as pg-boss calls it.
source:
  pgBoss: {connection: ${scalar(source.connection)}, queue: ${scalar(source.queue)}}
# One Job at a time drains the queue; its pods fetch messages for themselves.
drain:
  checkInterval: 10s
  # pods: {max: 5, messagesPerPod: 100}
# Fields of the container, its pod and the Job, in one level.
job:
  image: ${scalar(image)}
  # command: [node, worker.js]
  resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
# The connection as DB_HOST, DB_PORT and so on, where the operator allows it.
# injectConnection: true
# How long one Job may take.
# timeout: 1h
# suspend: true
`;
}

function messageQueue({ image, source }: StarterFlags): string {
  return `${head('Queue')}
# Where messages wait: a connection of the operator's configuration, and the queue.
# In place of pgBoss it may be a queue of RabbitMQ (amqp) or of Amazon SQS (sqs).
source:
  pgBoss: {connection: ${scalar(source.connection)}, queue: ${scalar(source.queue)}}
# One Job for each message. It is done when the Job has succeeded.
perMessage:
  # The body is the file /job-chief/message in each container.
  # payload: {env: BODY}
  env:
    MESSAGE_ID: $(message.id)
    # ORDER: $(message.body.order.id)
  # How often it is tried before the queue hears of the failure.
  # retry: {attempts: 3, delay: 10s}
  # Where messages go that cannot be done. With amqp this is needed.
  # deadLetter: {queue: dead}
# How many of its Jobs at once.
concurrency: {max: 10}
# How long one Job may take: both together less than the queue lets a message be away.
startTimeout: 3m
timeout: 10m
# Fields of the container, its pod and the Job, in one level.
job:
  image: ${scalar(image)}
  command: [cat, /job-chief/message]
  resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
# suspend: true
`;
}

function workflow({ image }: StarterFlags): string {
  return `${head('Workflow')}
# What starts a run: a change of this text, somebody who asks, times.
trigger:
  onRequest: true
  # onChange: true
  # schedules: ['30 2 * * *']
parameters:
  day: {type: string, default: today}
# For all steps, unless they say otherwise.
jobDefaults:
  image: ${scalar(image)}
  resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
steps:
  - name: extract
    job: {command: [sh, -c, 'echo rows=42 > "$JOB_CHIEF_OUTPUT"']}
    outputs: {rows: {type: integer}}
    # retry: {attempts: 3, delay: 10s}
    # timeout: 30m
  # It names an output of extract, so it starts after it.
  - name: load
    job: {command: [echo, $(params.day), $(steps.extract.outputs.rows)]}
# After all steps, however they ended.
# finally: [{name: tell, job: {command: [echo, $(run.outcome)]}}]
# onFailure: continue
# suspend: true
`;
}

function template({ image }: StarterFlags): string {
  return `${head('Template')}
# Checked before anything starts; without a default a value has to be given.
parameters:
  message: {type: string, description: What to say.}
job:
  image: ${scalar(image)}
  command: [echo, $(params.message)]
  resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
# timeout: 30m
# retry: {attempts: 3, delay: 10s}
# How many of its Jobs at once.
concurrency: {max: 10}
# suspend: true
`;
}

function run({ target }: StarterFlags): string {
  return `${head('Run')}
# What to run; it runs once, however often this is applied.
${target.kind}: ${scalar(target.name)}
# Values of its parameters.
# parameters: {}
# priority: 10
# cancel: no longer needed
`;
}

function limits(): string {
  return `${head('Limits')}
# Live Jobs of the whole instance at once.
maxJobs: 100
# Live Jobs of those specs that say concurrency.group.
groups: {gpu: 4}
# Most Jobs created within a time.
# startRate: 100/1m
# Start nothing new in the whole instance.
# suspend: true
`;
}

/** As it may stand in YAML, in a mapping of one line too. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][\w./-]*(:[\w./-]+)*(@sha256:[0-9a-f]+)?$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
