// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
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

    /** Where, and what was expected, on one line. */
    static String defect(JacksonException e) {
        return location(e) + ": " + reason(e);
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
