"""Prints the only run of the experiment `skipring` of an MLflow server as JSON, by MLflow's own client."""

import json
import sys

from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("skipring")
[run] = client.search_runs([experiment.experiment_id])
print(
    json.dumps(
        {
            "name": run.info.run_name,
            "status": run.info.status,
            "startMs": run.info.start_time,
            "endMs": run.info.end_time,
            "tags": run.data.tags,
            "params": run.data.params,
            "history": {
                key: [
                    [metric.step, metric.timestamp, metric.value]
                    for metric in client.get_metric_history(run.info.run_id, key)
                ]
                for key in run.data.metrics
            },
        }
    )
)
