// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.DetectionEvent;
import io.sightline.events.FrameRecord;
import io.sightline.inference.NanoClock;
import java.time.InstantSource;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/**
 * Puts {@link DetectOperator} into a topology:
 *
 * <pre>{@code
 * frames.transform("detect", TypeInformation.of(DetectionEvent.class), new DetectOperatorFactory(settings))
 * }</pre>
 *
 * Dead letters leave by the side output {@link DetectOperator#DEAD_LETTERS}, statuses by {@link
 * DetectOperator#CAMERA_STATUS}.
 */
public final class DetectOperatorFactory extends AbstractStreamOperatorFactory<DetectionEvent>
        implements OneInputStreamOperatorFactory<FrameRecord, DetectionEvent> {

    private final DetectSettings settings;

    public DetectOperatorFactory(DetectSettings settings) {
        this.settings = settings;
        // Chained to the source by default: frames then never cross the network.
        this.chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    // Flink asks for the operator type that it declared, which this factory makes.
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    public <T extends StreamOperator<DetectionEvent>> T createStreamOperator(
            StreamOperatorParameters<DetectionEvent> parameters) {
        return (T)
                new DetectOperator(parameters, settings, NanoClock.SYSTEM, InstantSource.system());
    }

    @Override
    public Class<? extends StreamOperator<?>> getStreamOperatorClass(ClassLoader classLoader) {
        return DetectOperator.class;
    }
}
