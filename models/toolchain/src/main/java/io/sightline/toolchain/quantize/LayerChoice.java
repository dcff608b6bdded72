// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.evaluate.PairedBootstrap;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.quantize.QuantizeSettings.Correction;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.Precision;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides which layers are INT8: not those that are faster in float, and of the others as many as
 * accuracy on the select set allows.
 */
final class LayerChoice {

    private static final int CORRECTION_PICTURES = 8;

    /** A layer stays float for speed only where that is more than noise. */
    private static final double WORTH_A_LAYER = 0.01;

    /** Gain in agreement, mAP 50-95. */
    private static final double WORTH_THE_PREDICTIONS = 0.02;

    /** How many of the most sensitive layers are tried in float, one after the other. */
    private static final int[] MOST_SENSITIVE = {1, 2, 3, 5, 8, 13, 21, 34};

    private final FloatNetwork network;
    private final QuantizeSettings settings;
    private final List<Sensitivity.OfLayer> sensitivities;
    private final Trials trials;
    private final Progress progress;
    private final RuntimeProfile floatProfile;
    private final RuntimeProfile wholeProfile;

    /**
     * @param plan what is to be INT8
     * @param reasons why layers stay float, by name
     */
    record Choice(QuantizePlan plan, Map<String, String> reasons) {}

    /**
     * @param floatProfile of the float network
     * @param wholeProfile of the network with every layer in INT8
     */
    LayerChoice(
            FloatNetwork network,
            QuantizeSettings settings,
            List<Sensitivity.OfLayer> sensitivities,
            RuntimeProfile floatProfile,
            RuntimeProfile wholeProfile,
            Trials trials,
            Progress progress) {
        this.network = network;
        this.settings = settings;
        this.sensitivities = sensitivities;
        this.floatProfile = floatProfile;
        this.wholeProfile = wholeProfile;
        this.trials = trials;
        this.progress = progress;
    }

    /** Every layer in INT8 but those that the settings want in float. */
    static QuantizePlan basePlan(FloatNetwork network, QuantizeSettings settings, Engine engine) {
        Set<String> floating = new LinkedHashSet<>();
        Map<String, RangeMethod> methods = new LinkedHashMap<>();
        for (String layer : network.layers()) {
            if (settings.precisionOf(layer).equals(Optional.of(Precision.FLOAT))) {
                floating.add(layer);
            }
            if (!settings.methodOf(layer).equals(settings.calibration().method())) {
                methods.put(layer, settings.methodOf(layer));
            }
        }
        return QuantizePlan.of(engine.target(), settings.calibration().method())
                .withLayerMethods(methods)
                .withBits(engine.weightBits(), 8, Set.of())
                .withFloatLayers(floating);
    }

    Choice choose(Engine engine) {
        Target target = engine.target();
        Map<String, String> reasons = new LinkedHashMap<>();
        QuantizePlan plan = basePlan(network, settings, engine);
        plan.floatLayers().forEach(layer -> reasons.put(layer, "the settings say so"));
        if (target == Target.TENSORRT) {
            network.stem()
                    .filter(layer -> !forced(layer))
                    .ifPresent(
                            layer ->
                                    reasons.putIfAbsent(
                                            layer,
                                            "reads the picture, which TensorRT takes as floats"));
        } else {
            reasons.putAll(slowLayers(plan));
        }
        plan = plan.withFloatLayers(reasons.keySet());
        plan = corrected(plan);
        plan = partial(engine, plan, reasons);
        return new Choice(plan, reasons);
    }

    private boolean forced(String layer) {
        return settings.precisionOf(layer).equals(Optional.of(Precision.INT8));
    }

    /**
     * Layers that make the network faster by staying float: found by running it, because a layer's
     * own time says nothing of the conversions around it.
     */
    private Map<String, String> slowLayers(QuantizePlan plan) {
        List<String> free =
                network.layers().stream()
                        .filter(layer -> !plan.floatLayers().contains(layer) && !forced(layer))
                        .toList();
        List<String> slower =
                free.stream()
                        .filter(
                                layer ->
                                        floatProfile.millis(layer) != null
                                                && wholeProfile.millis(layer) != null
                                                && wholeProfile.millis(layer)
                                                        > floatProfile.millis(layer))
                        .toList();
        List<Set<String>> candidates = new ArrayList<>();
        candidates.add(Set.of());
        for (int first = 1; first <= Math.min(3, free.size()); first++) {
            candidates.add(new LinkedHashSet<>(free.subList(0, first)));
        }
        candidates.add(new LinkedHashSet<>(slower));
        candidates.removeIf(candidate -> !mayBeFloat(plan, candidate));
        List<Set<String>> distinct = new ArrayList<>(new LinkedHashSet<>(candidates));
        if (distinct.size() < 2) {
            return Map.of();
        }
        List<Graph> graphs = new ArrayList<>();
        for (Set<String> candidate : distinct) {
            Set<String> floating = new HashSet<>(plan.floatLayers());
            floating.addAll(candidate);
            graphs.add(
                    Quantizer.quantize(
                                    network.graph(),
                                    network.table(),
                                    plan.withFloatLayers(floating))
                            .graph());
        }
        double[] millis = SpeedTrial.medians(graphs, Math.max(5, settings.speedRounds() / 2));
        progress.step("choose fast layers", 1, 1);
        int best = 0;
        for (int i = 1; i < millis.length; i++) {
            int more = distinct.get(i).size() - distinct.get(best).size();
            double gain = (millis[best] - millis[i]) / millis[best];
            if (gain > (more > 0 ? Math.min(0.05, WORTH_A_LAYER * more) : 0)) {
                best = i;
            }
        }
        Map<String, String> reasons = new LinkedHashMap<>();
        for (String layer : distinct.get(best)) {
            reasons.put(
                    layer,
                    String.format(
                            Locale.ROOT,
                            "faster so: the network takes %.2f ms with these layers in float, %.2f ms with all in INT8",
                            millis[best],
                            millis[0]));
        }
        return reasons;
    }

    /** Whether the share of INT8 that the gate asks for is left. */
    private boolean mayBeFloat(QuantizePlan plan, Set<String> candidate) {
        Set<String> int8 = new HashSet<>(network.layers());
        int8.removeAll(plan.floatLayers());
        int8.removeAll(candidate);
        return !int8.isEmpty()
                && network.convolutions().share(int8) >= settings.gate().minInt8Share();
    }

    private QuantizePlan corrected(QuantizePlan plan) {
        if (settings.correction() == Correction.OFF) {
            return plan;
        }
        Prepared model = network.prepared(plan.target());
        QuantizePlan corrected = correct(network, plan, progress);
        if (settings.correction() == Correction.ON) {
            return corrected;
        }
        return agreement(corrected, model) > agreement(plan, model) ? corrected : plan;
    }

    /** The plan with a correction for each layer. */
    static QuantizePlan correct(FloatNetwork network, QuantizePlan plan, Progress progress) {
        Prepared model = network.prepared(plan.target());
        return Corrector.correct(
                model.graph(),
                network.table(),
                plan,
                model.spec(),
                network.images()
                        .calibrate()
                        .subList(
                                0,
                                Math.min(CORRECTION_PICTURES, network.images().calibrate().size())),
                FloatNetwork.INTERPOLATION,
                progress);
    }

    /**
     * How far the plan finds what the float network finds, mAP 50-95 on the select set's pictures.
     * It says which of two plans is nearer to float much surer than their mAP against the labels:
     * there most of what differs between two sets of pictures is the float network's own errors.
     */
    private double agreement(QuantizePlan plan, Prepared model) {
        return network.findings().objects() == 0
                ? 1
                : trials.evaluate(
                                quantized(plan, model),
                                model.spec(),
                                plan.target(),
                                network.findings())
                        .map();
    }

    private Graph quantized(QuantizePlan plan, Prepared model) {
        return Quantizer.quantize(model.graph(), network.table(), plan).graph();
    }

    /** Those that may still become float, most sensitive first. */
    private List<String> candidates(Map<String, String> reasons) {
        return sensitivities.stream()
                .sorted(Sensitivity.mostSensitive(settings.sensitivity().metric()))
                .map(Sensitivity.OfLayer::layer)
                .filter(layer -> !reasons.containsKey(layer) && !forced(layer))
                .toList();
    }

    /**
     * Gives up layers, the most sensitive first, until the loss on the select set may be what the
     * gate allows.
     */
    private QuantizePlan partial(Engine engine, QuantizePlan plan, Map<String, String> reasons) {
        if (!settings.partial().automatic()) {
            List<String> candidates = candidates(reasons);
            List<String> chosen =
                    candidates.subList(0, Math.min(settings.partial().layers(), candidates.size()));
            chosen.forEach(layer -> reasons.put(layer, "among the most sensitive"));
            return plan.withFloatLayers(reasons.keySet());
        }
        Prepared model = network.prepared(engine.target());
        QuantizePlan best = withFloatPredictions(plan, model, reasons);
        List<String> candidates = candidates(reasons);
        Loss loss = loss(best, model);
        double agreement = Double.NaN;
        List<String> given = List.of();
        int tried = 0;
        for (int i = 0; i < MOST_SENSITIVE.length && !loss.mayHold(settings.gate()); i++) {
            List<String> more =
                    candidates.subList(0, Math.min(MOST_SENSITIVE[i], candidates.size()));
            Set<String> floating = union(reasons.keySet(), more);
            if (!mayBeFloat(plan, floating) || more.size() == tried) {
                break;
            }
            tried = more.size();
            if (Double.isNaN(agreement)) {
                agreement = agreement(best, model);
            }
            QuantizePlan trial = plan.withFloatLayers(floating);
            double nearer = agreement(trial, model);
            if (nearer > agreement) {
                agreement = nearer;
                best = trial;
                given = more;
                loss = loss(trial, model);
            }
        }
        for (String layer : given) {
            reasons.putIfAbsent(
                    layer,
                    String.format(
                            Locale.ROOT,
                            "among the %d most sensitive, which had to be float for a loss on the select set of %.4f",
                            given.size(),
                            loss.mean()));
        }
        return best;
    }

    /** The layers that boxes are decoded from stay float where that is clearly nearer to float. */
    private QuantizePlan withFloatPredictions(
            QuantizePlan plan, Prepared model, Map<String, String> reasons) {
        Set<String> predictions = new LinkedHashSet<>(network.predictions());
        predictions.removeIf(layer -> reasons.containsKey(layer) || forced(layer));
        if (predictions.isEmpty() || !mayBeFloat(plan, predictions)) {
            return plan;
        }
        QuantizePlan trial = plan.withFloatLayers(union(reasons.keySet(), predictions));
        double before = agreement(plan, model);
        double after = agreement(trial, model);
        if (after - before < WORTH_THE_PREDICTIONS) {
            return plan;
        }
        for (String layer : predictions) {
            reasons.put(
                    layer,
                    String.format(
                            Locale.ROOT,
                            "predicts boxes: with these in float the agreement with the float network rises from %.3f to %.3f",
                            before,
                            after));
        }
        return trial;
    }

    private static Set<String> union(Set<String> some, Collection<String> others) {
        Set<String> union = new LinkedHashSet<>(some);
        union.addAll(others);
        return union;
    }

    /** Of mAP on the select set, with its standard error. */
    private record Loss(double mean, double standardError) {

        /**
         * Few pictures say little: layers are given up only where the gate is missed by more than
         * chance. The report set has the last word.
         */
        boolean mayHold(QuantizeSettings.Gate gate) {
            return mean - standardError <= gate.maxLoss();
        }
    }

    private Loss loss(QuantizePlan plan, Prepared model) {
        PairedBootstrap.Difference difference =
                PairedBootstrap.difference(
                        network.onSelect(),
                        trials.evaluate(
                                quantized(plan, model),
                                model.spec(),
                                plan.target(),
                                network.images().select()));
        return new Loss(-difference.delta(), difference.standardError());
    }
}
