// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.util.List;

/** Kafka is not as the job needs it. The message says all that is wrong, and the remedies. */
public final class KafkaPreflightException extends RuntimeException {

    private final List<String> problems;

    KafkaPreflightException(List<String> problems, Throwable cause) {
        super(
                problems.size() == 1
                        ? problems.get(0)
                        : "Kafka is not ready for this job, "
                                + problems.size()
                                + " problems:\n  - "
                                + String.join("\n  - ", problems),
                cause);
        this.problems = List.copyOf(problems);
    }

    /** One line each. */
    public List<String> problems() {
        return problems;
    }
}
