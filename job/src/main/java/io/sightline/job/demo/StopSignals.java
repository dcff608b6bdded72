// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes Ctrl-C and the polite way to end a process as a wish to come to an end, once: the second
 * one ends the process as ever. A shutdown hook would not do, since it runs beside those that stop
 * the broker and Flink.
 */
public final class StopSignals implements AutoCloseable {

    private static final List<String> NAMES = List.of("INT", "TERM");

    private final List<Object> signals = new ArrayList<>();
    private final List<Object> previous = new ArrayList<>();
    private final Method handle;

    private StopSignals(Method handle) {
        this.handle = handle;
    }

    /**
     * Until closed; where signals cannot be had, they do what they always do.
     *
     * @param stop called by a thread of its own
     */
    public static StopSignals to(Runnable stop) {
        try {
            // By name, since the compiler warns of every mention, though the module that has it is
            // there to stay until there is something better.
            Class<?> signalClass = Class.forName("sun.misc.Signal");
            Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
            StopSignals signals =
                    new StopSignals(signalClass.getMethod("handle", signalClass, handlerClass));
            Object handler =
                    Proxy.newProxyInstance(
                            handlerClass.getClassLoader(),
                            new Class<?>[] {handlerClass},
                            (proxy, method, arguments) -> {
                                if (!method.getName().equals("handle")) {
                                    return method.invoke(stop, arguments);
                                }
                                signals.close();
                                stop.run();
                                return null;
                            });
            for (String name : NAMES) {
                Object signal = signalClass.getConstructor(String.class).newInstance(name);
                signals.take(signal, handler);
            }
            return signals;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("signals cannot be had", e);
        }
    }

    private void take(Object signal, Object handler) throws ReflectiveOperationException {
        try {
            previous.add(handle.invoke(null, signal, handler));
            signals.add(signal);
        } catch (InvocationTargetException e) {
            // This system has no such signal, or the JVM was told to leave it alone.
        }
    }

    /** Signals do again what they did before. Idempotent. */
    @Override
    public synchronized void close() {
        try {
            while (!signals.isEmpty()) {
                int last = signals.size() - 1;
                handle.invoke(null, signals.remove(last), previous.remove(last));
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("signals cannot be given back", e);
        }
    }
}
