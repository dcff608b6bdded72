// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.local;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A Flink cluster inside this process, for commands that bring everything along and need to know
 * when the job is up.
 */
public final class LocalFlink implements AutoCloseable {

    private static final long POLL_MILLIS = 20;

    private final MiniCluster cluster;

    private LocalFlink(MiniCluster cluster) {
        this.cluster = cluster;
    }

    /**
     * @param slots most subtasks of an operator
     */
    public static LocalFlink start(int slots, Configuration configuration) throws Exception {
        Configuration withFreePort = new Configuration(configuration);
        withFreePort.set(RestOptions.BIND_PORT, "0");
        MiniCluster cluster =
                new MiniCluster(
                        new MiniClusterConfiguration.Builder()
                                .setConfiguration(withFreePort)
                                .setNumTaskManagers(1)
                                .setNumSlotsPerTaskManager(slots)
                                .build());
        cluster.start();
        return new LocalFlink(cluster);
    }

    /** Submits what was built on the environment. */
    public JobID submit(StreamExecutionEnvironment environment) throws Exception {
        return cluster.submitJob(environment.getStreamGraph().getJobGraph()).get().getJobID();
    }

    /**
     * Returns when every task of the job is running, with its engine loaded.
     *
     * @throws Exception why the job ended before that
     */
    public void awaitRunning(JobID job) throws Exception {
        while (true) {
            AccessExecutionGraph graph = cluster.getExecutionGraph(job).get();
            if (graph.getState().isGloballyTerminalState()) {
                result(job).get();
                return;
            }
            // While a job is being set up it has no tasks.
            boolean running = graph.getState() == JobStatus.RUNNING;
            for (AccessExecutionVertex vertex : graph.getAllExecutionVertices()) {
                running &= vertex.getExecutionState() == ExecutionState.RUNNING;
            }
            if (running) {
                return;
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /**
     * Ends with the job: normally, also when it was cancelled, or exceptionally with why it failed.
     */
    public CompletableFuture<Void> result(JobID job) {
        return cluster.requestJobResult(job).thenAccept(LocalFlink::rethrow);
    }

    private static void rethrow(JobResult result) {
        if (result.getSerializedThrowable().isPresent()) {
            throw new CompletionException(
                    result.getSerializedThrowable()
                            .get()
                            .deserializeError(LocalFlink.class.getClassLoader()));
        }
    }

    /** Ends the job, and returns when it has ended. */
    public void cancel(JobID job) throws Exception {
        try {
            cluster.cancelJob(job).get();
            result(job).get();
        } catch (ExecutionException e) {
            // It had ended before, or was cancelled: either way it is gone.
            JobStatus status = cluster.getJobStatus(job).get();
            if (!status.isGloballyTerminalState()) {
                throw e;
            }
        }
    }

    @Override
    public void close() throws Exception {
        cluster.close();
    }
}
