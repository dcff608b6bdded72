// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;

/**
 * An object of TensorRT's, deleted on close.
 *
 * <p>JavaCPP's bindings create such objects without knowing how to delete them: their {@code
 * deallocate} does nothing (bytedeco/javacpp-presets#1699). They do know it for an object that Java
 * itself constructs, so an empty one of the same class is made and its way of being deleted taken
 * over. That way is the C++ {@code delete} of a class with a virtual destructor, so it is right for
 * whatever TensorRT's own subclass is.
 *
 * @param <T> the class in TensorRT's interface
 */
final class Owned<T extends Pointer> implements AutoCloseable {

    private static final Method INIT =
            method("init", long.class, long.class, long.class, long.class);
    private static final Method DEALLOCATOR = method("deallocator");

    private final T object;

    private Owned(T object) {
        this.object = object;
    }

    /**
     * @param object what TensorRT gave; null where it failed
     * @param empty constructs an empty object of the class
     * @param call that gave it, for the message
     * @throws InferenceException if there is none
     */
    static <T extends Pointer> Owned<T> of(T object, Supplier<T> empty, String call) {
        if (object == null || object.isNull()) {
            throw EngineLog.failed(call);
        }
        try (T model = empty.get()) {
            Object deallocator = DEALLOCATOR.invoke(model);
            Object address =
                    deallocator.getClass().getMethod("deallocatorAddress").invoke(deallocator);
            INIT.invoke(object, object.address(), 1L, object.address(), address);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error error) {
                // Such as JavaCPP's own limit of memory.
                throw error;
            }
            throw misfit(e);
        } catch (ReflectiveOperationException e) {
            throw misfit(e);
        }
        return new Owned<>(object);
    }

    private static Method method(String name, Class<?>... parameters) {
        try {
            Method method = Pointer.class.getDeclaredMethod(name, parameters);
            method.setAccessible(true);
            return method;
        } catch (ReflectiveOperationException e) {
            throw misfit(e);
        }
    }

    private static InferenceException misfit(ReflectiveOperationException e) {
        return new InferenceException(
                "JavaCPP "
                        + Pointer.class.getPackage().getImplementationVersion()
                        + " is not the one that this was written for ("
                        + e
                        + "): use the version that Sightline's distribution brings",
                e);
    }

    T get() {
        return object;
    }

    /** Idempotent. */
    @Override
    public void close() {
        object.deallocate();
    }
}
