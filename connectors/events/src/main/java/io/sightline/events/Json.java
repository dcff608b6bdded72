// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;

/** What the records written as JSON have in common. */
final class Json {

    private Json() {}

    /** Ignores fields that are not known, and nothing else. */
    static JsonMapper mapper() {
        return JsonMapper.builder(
                        JsonFactory.builder()
                                .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
                                .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                                .build())
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
    }

    /**
     * Reads one value. Jackson would guess UTF-16 or UTF-32 from the first bytes of an array, so
     * the text is decoded before, strictly.
     *
     * @param what the value is, for the message
     * @return null where the JSON is {@code null}
     * @throws IllegalArgumentException in one line: where, and what was expected
     */
    static <T> T read(ObjectReader reader, byte[] json, Class<T> type, String what) {
        if (json == null) {
            throw new IllegalArgumentException("no " + what + ": the value is null");
        }
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
            Object value = reader.readValue(text);
            return type.cast(value);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("no " + what + ": it is not UTF-8", e);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("no " + what + location(e) + ": " + reason(e), e);
        }
    }

    private static String location(JacksonException e) {
        JsonLocation at = e.getLocation();
        return at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
    }

    private static String reason(JacksonException e) {
        if (e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            StringJoiner path = new StringJoiner(".");
            for (JsonMappingException.Reference step : mapping.getPath()) {
                path.add(
                        step.getFieldName() == null
                                ? Integer.toString(step.getIndex())
                                : step.getFieldName());
            }
            return path + " is missing or of another type";
        }
        String text = e.getOriginalMessage();
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }
}
