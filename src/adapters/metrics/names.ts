/**
 * Every metric that job-chief itself defines: the only place that spells a name. docs/metrics.md is held to this list
 * by a test. Labels have closed sets of values, but for `name`, the logical name of a spec, whose series go with the
 * spec; there is no label for a run, a Job or a Pod. Histograms carry no `name`: a thousand specs would cost a scrape
 * tens of thousands of bucket lines.
 */

/** One metric: what is registered and documented. */
export interface MetricDefinition<Label extends string = string> {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly Label[];
  readonly buckets?: readonly number[];
}

/** Reactions of the process itself: from a millisecond to half a minute. */
const quick = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Containers starting: image pulls and autoscaled nodes take minutes. */
const starting = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800];
/** Jobs running: from a second to a day. */
const running = [1, 5, 15, 60, 180, 600, 1800, 3600, 10_800, 28_800, 86_400];

const spec = ['kind', 'name'] as const;

/** Metrics by the name under which the code refers to them. */
export const metrics = {
  buildInfo: { name: 'job_chief_build_info', type: 'gauge', help: 'Always 1; what is running.', labels: ['version', 'node_version'] },
  featureRights: { name: 'job_chief_feature_rights', type: 'gauge', help: '1 where the feature had all its rights at the start, 0 where some were missing and it is off; absent where the API server could not be asked.', labels: ['feature'] },

  rounds: { name: 'job_chief_reconcile_total', type: 'counter', help: 'Rounds of a spec, by result.', labels: ['kind', 'result'] },
  roundDuration: { name: 'job_chief_reconcile_duration_seconds', type: 'histogram', help: 'How long a round took.', labels: ['kind'], buckets: quick },
  actions: { name: 'job_chief_actions_total', type: 'counter', help: 'Actions carried out, by what they were, why, and what the API server answered.', labels: ['kind', 'action', 'reason', 'result'] },

  specAccepted: { name: 'job_chief_spec_accepted', type: 'gauge', help: '1 while the spec is valid and in force, 0 while it is rejected.', labels: spec },
  specState: { name: 'job_chief_spec_state', type: 'gauge', help: 'Always 1; only the series of the current state exists.', labels: [...spec, 'state'] },
  specClaims: { name: 'job_chief_spec_claims', type: 'gauge', help: 'ConfigMaps or files that define the spec; more than 1 means that all but one are superseded.', labels: spec },
  jobsLive: { name: 'job_chief_jobs_live', type: 'gauge', help: 'Unfinished Jobs of the spec.', labels: spec },
  jobsCreated: { name: 'job_chief_jobs_created_total', type: 'counter', help: 'Jobs that the API server confirmed.', labels: spec },
  jobsFinished: { name: 'job_chief_jobs_finished_total', type: 'counter', help: 'Finished Jobs, by outcome.', labels: [...spec, 'outcome'] },
  jobRunSeconds: { name: 'job_chief_job_run_seconds_total', type: 'counter', help: 'Time from start to end, summed over the finished Jobs of the spec.', labels: spec },
  lastSuccess: { name: 'job_chief_last_success_timestamp_seconds', type: 'gauge', help: 'When a Job of the spec was last seen to have succeeded; absent until one does after a start of job-chief.', labels: spec },
  jobFailures: { name: 'job_chief_job_failures_total', type: 'counter', help: 'Finished Jobs that did not succeed, by what the cluster gave as the reason.', labels: ['kind', 'reason'] },

  queueReady: { name: 'job_chief_queue_ready_messages', type: 'gauge', help: 'Messages that can run now, counted no further than the spec needs; absent while not known.', labels: spec },
  queueReads: { name: 'job_chief_queue_reads_total', type: 'counter', help: 'Looks at the queue, by whether the depth became known.', labels: [...spec, 'result'] },
  queueReadDuration: { name: 'job_chief_queue_read_duration_seconds', type: 'histogram', help: 'How long a look at a queue took.', labels: ['kind'], buckets: quick },

  creationLatency: { name: 'job_chief_job_creation_latency_seconds', type: 'histogram', help: 'From the queue seen non-empty to the Job confirmed by the API server.', labels: ['kind'], buckets: quick },
  startup: { name: 'job_chief_job_startup_seconds', type: 'histogram', help: 'From the creation of a Job to its first started container.', labels: ['kind'], buckets: starting },
  runDuration: { name: 'job_chief_job_run_duration_seconds', type: 'histogram', help: 'From the start of a Job to its end.', labels: ['kind', 'outcome'], buckets: running },

  messages: { name: 'job_chief_messages_total', type: 'counter', help: 'What became of messages that were leased.', labels: [...spec, 'result'] },
  messagesInHand: { name: 'job_chief_messages_in_hand', type: 'gauge', help: 'Messages that are leased just now.', labels: spec },
  messagesOldest: { name: 'job_chief_queue_oldest_message_seconds', type: 'gauge', help: 'For how long the oldest message that can run now has waited; 0 where none waits, absent where its queue does not tell.', labels: spec },
  batchMessages: { name: 'job_chief_batch_messages', type: 'histogram', help: 'Messages of a batch, when its Job was let go.', labels: [], buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
  messageStage: { name: 'job_chief_message_stage_seconds', type: 'histogram', help: 'The ways of a message, each from one moment to the next.', labels: ['stage'], buckets: [...quick, 60, 180, 600, 1800, 3600, 10_800, 86_400] },

  runsActive: { name: 'job_chief_runs_active', type: 'gauge', help: 'Runs of the workflow or template that have begun and are not over.', labels: spec },
  runs: { name: 'job_chief_runs_total', type: 'counter', help: 'Runs that are over, by what started them and how they came out.', labels: [...spec, 'trigger', 'outcome'] },
  steps: { name: 'job_chief_steps_total', type: 'counter', help: 'Steps that have an outcome; a forEach counts as one.', labels: [...spec, 'outcome'] },
  schedulesMissed: { name: 'job_chief_schedule_missed_total', type: 'counter', help: 'Scheduled times for which no run was started.', labels: [...spec, 'why'] },
  wholeRunDuration: { name: 'job_chief_run_duration_seconds', type: 'histogram', help: 'From the start of a run to its end.', labels: ['kind', 'outcome'], buckets: running },
  stepEdge: { name: 'job_chief_step_edge_seconds', type: 'histogram', help: 'From the round that found a step due to its Job confirmed by the API server.', labels: [], buckets: quick },
  recordWrites: { name: 'job_chief_record_writes_total', type: 'counter', help: 'Writes of records of runs, by what the API server answered.', labels: ['result'] },

  capacityUsed: { name: 'job_chief_capacity_used', type: 'gauge', help: 'Live Jobs that count against the limits, with those being created, by group; of all Jobs where the group is empty.', labels: ['group'] },
  capacityLimit: { name: 'job_chief_capacity_limit', type: 'gauge', help: 'The smallest limit that anybody sets, by group; of all Jobs where the group is empty; absent without one.', labels: ['group'] },
  capacityWaiting: { name: 'job_chief_capacity_waiting', type: 'gauge', help: 'Queues and runs that could start a Job and wait for the limits.', labels: [] },

  watchAge: { name: 'job_chief_watch_age_seconds', type: 'gauge', help: 'Since the API server was last heard on this watch: an event, a bookmark or a list.', labels: ['resource'] },
  watchEvents: { name: 'job_chief_watch_events_total', type: 'counter', help: 'Watch events, by type.', labels: ['resource', 'type'] },
  relists: { name: 'job_chief_watch_relists_total', type: 'counter', help: 'Lists made to start or repair a watch, by cause.', labels: ['resource', 'reason'] },
  poison: { name: 'job_chief_watch_poison_objects_total', type: 'counter', help: 'Objects that could not be read and were left out.', labels: ['resource'] },
  cacheObjects: { name: 'job_chief_cache_objects', type: 'gauge', help: 'Objects held in memory.', labels: ['resource'] },

  queueDepth: { name: 'workqueue_depth', type: 'gauge', help: 'Keys that wait for a round.', labels: ['name'] },
  queueAdds: { name: 'workqueue_adds_total', type: 'counter', help: 'Keys added.', labels: ['name'] },
  queueRetries: { name: 'workqueue_retries_total', type: 'counter', help: 'Keys added again after a failed round.', labels: ['name'] },
  queueWait: { name: 'workqueue_queue_duration_seconds', type: 'histogram', help: 'How long a key waited for its round.', labels: ['name'], buckets: quick },
  queueWork: { name: 'workqueue_work_duration_seconds', type: 'histogram', help: 'How long a key was worked on.', labels: ['name'], buckets: quick },
  queueUnfinished: { name: 'workqueue_unfinished_work_seconds', type: 'gauge', help: 'Time that the rounds under way have taken so far, summed.', labels: ['name'] },
  queueLongest: { name: 'workqueue_longest_running_processor_seconds', type: 'gauge', help: 'Time that the longest round under way has taken so far.', labels: ['name'] },

  leaderStatus: { name: 'leader_election_master_status', type: 'gauge', help: '1 on the replica that leads, 0 on those that stand by; only with high availability.', labels: ['name'] },

  httpRequests: { name: 'job_chief_http_api_requests_total', type: 'counter', help: 'Requests to the HTTP API, by route (the operation of its document; none: a path that is not served) and HTTP status.', labels: ['route', 'code'] },
  httpDuration: { name: 'job_chief_http_api_request_duration_seconds', type: 'histogram', help: 'How long answers of the HTTP API took; those of streams until their end.', labels: ['route'], buckets: quick },

  requests: { name: 'rest_client_requests_total', type: 'counter', help: 'Requests to the API server, by HTTP status; code <error> where no answer came.', labels: ['code', 'method', 'host'] },
  requestDuration: { name: 'rest_client_request_duration_seconds', type: 'histogram', help: 'Latency of requests to the API server, watches left out.', labels: ['verb', 'host'], buckets: quick },
  requestRetries: { name: 'rest_client_request_retries_total', type: 'counter', help: 'Requests sent again, by the HTTP status that asked for it.', labels: ['code', 'verb', 'host'] },
} as const satisfies Record<string, MetricDefinition>;
