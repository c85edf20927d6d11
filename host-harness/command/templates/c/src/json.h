/* Reads JSON in place: a value is a slice of the answer. Nothing is copied until it is needed, and
 * nothing calls itself deeper than DEEPEST, so an answer cannot exhaust memory or stack. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEEPEST 64

typedef struct {
    const uint8_t *ptr;
    size_t len;
} json_t;

/* The one value that a body consists of, if all of it is valid JSON in UTF-8. */
bool json_read(const uint8_t *body, size_t len, json_t *value);

/* The value of a field of an object: false if it is no object, or has no such field. */
bool json_field(json_t object, const char *name, json_t *value);

/* The first or next element of a list: `element->ptr` is NULL at first. False at the end. */
bool json_is_list(json_t value);
bool json_next(json_t list, json_t *element);

bool json_is_null(json_t value);
bool json_is_true(json_t value);
bool json_is_bool(json_t value);

/* A whole number. */
bool json_number(json_t value, int64_t *number);

/* A text, in memory of its own, which the caller frees. */
bool json_text(json_t value, uint8_t **text, size_t *len);

#endif
