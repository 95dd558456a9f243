import { describe, expect, it } from 'vitest';
import { allMetrics, coordinatorMetrics, workerMetrics } from './index.js';

const parts = { dataWaitMs: 1, computeMs: 200, ringMs: 30, commitMs: 4, applyMs: 15 };
const metrics = {
  step: 7,
  epoch: 1,
  cursor: 512,
  loss: 0.5,
  accuracy: 0.75,
  learningRate: 0.1,
  samples: 512,
  stepMs: 250,
};
const counts = { samples: 10, confusion: [[10]], worst: [] };
const evaluation = { step: 7, epoch: 1, loss: 0.4, accuracy: 0.8, ...counts };

function busyCoordinator(jobId: string) {
  const busy = coordinatorMetrics();
  busy.beginAttempt(jobId, { totalSteps: 90, checkpointInterval: 30, checkpointStep: null });
  busy.observeJobState(jobId, 'running');
  busy.observeQueueWait(12);
  busy.observeCheckpoint(jobId, 5);
  busy.countCheckpointUpload('stored');
  busy.setRedisUp(true);
  busy.setDataDirectory({ freeBytes: 1e9, sizeBytes: 4e9 });
  busy.setDesiredWorkers(new Map([[4, 3]]));
  busy.observeGeneration({ jobId, attempt: 2, generation: 3 }, 4);
  busy.observeStep(jobId, metrics);
  busy.observeRankStep(jobId, parts, 1_000);
  busy.observeEvaluation(jobId, evaluation);
  busy.observeHashCheck(jobId, true);
  busy.countLostMember(jobId);
  busy.countEvent('step');
  busy.observeHeartbeat('w1', 20);
  busy.observeRequest('GET', '/jobs/:id', 200, 0.01);
  busy.addEventStreams(1);
  busy.setCounts({ jobs: { running: 1 }, workers: { busy: 4 }, queues: { jobs: { waiting: 2 } } });
  return busy;
}

function busyWorker() {
  const busy = workerMetrics();
  busy.setConnected(true);
  busy.enterGeneration({ jobId: 'a', attempt: 1, generation: 2 }, 0, 2);
  busy.observeStep({ step: 7, parts, ringBytes: 1_000, samples: 256, metrics });
  busy.observeHeartbeat(20);
  busy.countAbort();
  busy.countStateHash();
  busy.observeDevice({
    device: 'H100',
    memoryBytes: 60e9,
    memoryLimitBytes: 80e9,
    utilization: 0.9,
  });
  return busy;
}

describe('metric definitions', () => {
  it('have unique names of the form that Prometheus asks for', () => {
    expect(new Set(allMetrics.map(({ name }) => name)).size).toBe(allMetrics.length);
    for (const { kind, name, help } of allMetrics) {
      expect(name).toMatch(/^skipring_[a-z0-9]+(_[a-z0-9]+)*$/);
      expect(name.endsWith('_total')).toBe(kind === 'counter');
      if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
      expect(name).not.toMatch(/_(ms|milliseconds|kb)\b/);
    }
  });
});

describe('coordinator metrics', () => {
  it('export what was observed, in base units', async () => {
    const text = await busyCoordinator('job-a').registry.metrics();
    expect(text).toContain('skipring_job_loss{job_id="job-a",split="train"} 0.5');
    expect(text).toContain('skipring_job_accuracy_ratio{job_id="job-a",split="test"} 0.8');
    expect(text).toContain('skipring_job_images_per_second{job_id="job-a"} 2048');
    expect(text).toContain('skipring_job_step_duration_seconds_sum{job_id="job-a"} 0.25');
    expect(text).toContain(
      'skipring_job_step_part_duration_seconds_sum{job_id="job-a",part="ring"} 0.03',
    );
    expect(text).toContain('skipring_queue_depth{queue="jobs",state="waiting"} 2');
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('skipring_job_state{job_id="job-a",state="running"} 1');
    expect(text).toContain('skipring_job_state{job_id="job-a",state="waiting"} 0');
    expect(text).toContain('skipring_job_planned_steps{job_id="job-a"} 90');
    expect(text).toContain('skipring_job_checkpoint_step{job_id="job-a"} 5');
    expect(text).toContain('skipring_job_checkpoint_interval_steps{job_id="job-a"} 30');
    expect(text).toContain('skipring_job_queue_wait_seconds_sum 12');
    expect(text).toContain('skipring_checkpoint_uploads_total{result="stored"} 1');
    expect(text).toContain('skipring_checkpoint_uploads_total{result="failed"} 0');
    expect(text).toContain('skipring_job_lost_members_total{job_id="job-a"} 1');
    expect(text).toContain(
      'skipring_job_parameter_hash_checks_total{job_id="job-a",result="diverged"} 0',
    );
    expect(text).toContain('skipring_redis_up 1');
    expect(text).toContain('skipring_desired_workers{threads="4"} 3');
    expect(text).toContain('skipring_desired_workers{threads="1"} 0');
  });

  it('forget the labels of a job that ended and of a worker that left, and no others', async () => {
    const busy = busyCoordinator('job-a');
    busy.observeStep('job-b', metrics);
    busy.observeHeartbeat('w2', 5);
    await busy.removeJob('job-a');
    await busy.removeWorker('w1');
    const text = await busy.registry.metrics();
    expect(text).not.toContain('job-a');
    expect(text).not.toContain('"w1"');
    expect(text).toContain('skipring_job_step{job_id="job-b"} 7');
    expect(text).toContain('skipring_worker_heartbeats_total{worker_id="w2"} 1');
  });

  it('say that a job whose attempt has ended is in no state and has no workers', async () => {
    const busy = busyCoordinator('job-a');
    busy.endAttempt('job-a');
    const text = await busy.registry.metrics();
    expect(text).not.toMatch(/skipring_job_state\{.*\} 1/);
    expect(text).toContain('skipring_job_world_size{job_id="job-a"} 0');
    expect(text).toContain('skipring_job_images_per_second{job_id="job-a"} 0');
  });

  it('forget the workers that a job wanted when it wants none', async () => {
    const busy = busyCoordinator('job-a');
    busy.setDesiredWorkers(new Map());
    const text = await busy.registry.metrics();
    expect(text).not.toContain('threads="4"');
    expect(text).toContain('skipring_desired_workers{threads="1"} 0');
  });

  it('replace counts, so that an emptied state does not linger', async () => {
    const busy = busyCoordinator('job-a');
    busy.setCounts({ jobs: { failed: 2 }, workers: {}, queues: {} });
    const text = await busy.registry.metrics();
    expect(text).toContain('skipring_jobs{state="failed"} 2');
    expect(text).not.toContain('skipring_jobs{state="running"}');
    expect(text).not.toContain('skipring_workers{state="busy"}');
  });
});

describe('worker metrics', () => {
  it('export the step and its parts', async () => {
    const text = await busyWorker().registry.metrics();
    expect(text).toContain('skipring_step 7');
    expect(text).toContain('skipring_step_duration_seconds_sum 0.25');
    expect(text).toContain('skipring_images_per_second 1024');
    expect(text).toContain('skipring_ring_sent_bytes_total 1000');
    expect(text).toContain('skipring_world_size 2');
  });

  it('say so when the generation is left', async () => {
    const busy = busyWorker();
    busy.leaveGeneration();
    const text = await busy.registry.metrics();
    expect(text).toContain('skipring_rank -1');
    expect(text).toContain('skipring_world_size 0');
  });
});
