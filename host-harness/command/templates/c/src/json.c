#include "json.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} reader_t;

static void space(reader_t *r) {
    while (r->at < r->end && (*r->at == ' ' || (*r->at >= '\t' && *r->at <= '\r'))) r->at++;
}

static bool take(reader_t *r, uint8_t sign) {
    if (r->at >= r->end || *r->at != sign) return false;
    r->at++;
    return true;
}

static bool word(reader_t *r, const char *text) {
    size_t len = strlen(text);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0) return false;
    r->at += len;
    return true;
}

static int hex(uint8_t sign) {
    if (sign >= '0' && sign <= '9') return sign - '0';
    sign |= 0x20;
    return sign >= 'a' && sign <= 'f' ? sign - 'a' + 10 : -1;
}

/* Passes over four hexadecimal digits. */
static bool unit(reader_t *r, uint32_t *value) {
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (r->at >= r->end || hex(*r->at) < 0) return false;
        *value = *value << 4 | (uint32_t)hex(*r->at++);
    }
    return true;
}

/* Passes over one character of UTF-8 that is no ASCII. */
static bool character(reader_t *r) {
    uint8_t first = *r->at++;
    int more = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
    if (more == 0 || r->end - r->at < more) return false;
    uint8_t second = r->at[0];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return false;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return false;
    for (; more > 0; more--) {
        if ((*r->at++ & 0xc0) != 0x80) return false;
    }
    return true;
}

/* Passes over the escape behind a backslash. Half of a pair is no text. */
static bool escape(reader_t *r, uint32_t *point) {
    if (r->at >= r->end) return false;
    uint8_t sign = *r->at++;
    if (sign != 'u') {
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        const char *known = sign ? strchr(from, sign) : NULL;
        if (!known) return false;
        *point = (uint32_t)(uint8_t)to[known - from];
        return true;
    }
    uint32_t low;
    if (!unit(r, point)) return false;
    if (*point < 0xd800 || *point > 0xdfff) return true;
    if (*point > 0xdbff || !word(r, "\\u") || !unit(r, &low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return false;
    *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool text(reader_t *r) {
    uint32_t point;
    if (!take(r, '"')) return false;
    while (r->at < r->end) {
        if (*r->at == '"') {
            r->at++;
            return true;
        }
        if (*r->at < 0x20) return false;
        if (*r->at == '\\') {
            r->at++;
            if (!escape(r, &point)) return false;
        } else if (*r->at < 0x80) {
            r->at++;
        } else if (!character(r)) {
            return false;
        }
    }
    return false;
}

static bool digits(reader_t *r) {
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > start;
}

static bool number(reader_t *r) {
    take(r, '-');
    if (!take(r, '0') && !digits(r)) return false;
    if (take(r, '.') && !digits(r)) return false;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+')) take(r, '-');
        return digits(r);
    }
    return true;
}

static bool value(reader_t *r, int depth);

/* Passes over the inside of a list or an object, behind its opening bracket. */
static bool entries(reader_t *r, uint8_t close, int depth) {
    space(r);
    if (take(r, close)) return true;
    for (;;) {
        if (close == '}') {
            space(r);
            if (!text(r)) return false;
            space(r);
            if (!take(r, ':')) return false;
        }
        if (!value(r, depth)) return false;
        space(r);
        if (take(r, close)) return true;
        if (!take(r, ',')) return false;
    }
}

static bool value(reader_t *r, int depth) {
    space(r);
    if (r->at >= r->end || depth > DEEPEST) return false;
    switch (*r->at) {
    case '{': r->at++; return entries(r, '}', depth + 1);
    case '[': r->at++; return entries(r, ']', depth + 1);
    case '"': return text(r);
    case 't': return word(r, "true");
    case 'f': return word(r, "false");
    case 'n': return word(r, "null");
    default: return number(r);
    }
}

/* The value at the reader, which is valid already. */
static json_t slice(reader_t *r) {
    space(r);
    json_t found = {r->at, 0};
    value(r, 0);
    found.len = (size_t)(r->at - found.ptr);
    return found;
}

bool json_read(const uint8_t *body, size_t len, json_t *found) {
    reader_t r = {body, body + len};
    space(&r);
    found->ptr = r.at;
    if (!value(&r, 0)) return false;
    found->len = (size_t)(r.at - found->ptr);
    space(&r);
    return r.at == r.end;
}

bool json_field(json_t object, const char *name, json_t *found) {
    reader_t r = {object.ptr, object.ptr + object.len};
    size_t len = strlen(name);
    if (!take(&r, '{')) return false;
    for (;;) {
        space(&r);
        if (r.at < r.end && (*r.at == '}' || *r.at == ',')) {
            if (*r.at++ == '}') return false;
            continue;
        }
        if (r.at >= r.end) return false;
        json_t key = slice(&r);
        space(&r);
        take(&r, ':');
        json_t of_key = slice(&r);
        if (key.len == len + 2 && memcmp(key.ptr + 1, name, len) == 0) {
            *found = of_key;
            return true;
        }
    }
}

bool json_is_list(json_t found) { return found.len > 0 && found.ptr[0] == '['; }

bool json_next(json_t list, json_t *element) {
    reader_t r = {element->ptr ? element->ptr + element->len : list.ptr + 1, list.ptr + list.len};
    space(&r);
    if (take(&r, ',')) space(&r);
    if (r.at >= r.end || *r.at == ']') return false;
    *element = slice(&r);
    return true;
}

bool json_is_null(json_t found) { return found.len > 0 && found.ptr[0] == 'n'; }
bool json_is_true(json_t found) { return found.len > 0 && found.ptr[0] == 't'; }
bool json_is_bool(json_t found) {
    return found.len > 0 && (found.ptr[0] == 't' || found.ptr[0] == 'f');
}

bool json_number(json_t found, int64_t *to) {
    const uint8_t *at = found.ptr, *end = found.ptr + found.len;
    bool negative = at < end && *at == '-';
    int64_t sum = 0;
    if (negative) at++;
    if (at == end) return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || sum > (INT64_MAX - 9) / 10) return false;
        sum = sum * 10 + (*at - '0');
    }
    *to = negative ? -sum : sum;
    return true;
}

bool json_text(json_t found, uint8_t **to, size_t *len) {
    if (found.len < 2 || found.ptr[0] != '"') return false;
    reader_t r = {found.ptr + 1, found.ptr + found.len - 1};
    /* No text is longer than it is written. */
    uint8_t *out = malloc(found.len);
    if (!out) abort();
    *to = out;
    while (r.at < r.end) {
        if (*r.at != '\\') {
            *out++ = *r.at++;
            continue;
        }
        uint32_t point = 0;
        r.at++;
        escape(&r, &point);
        if (point < 0x80) {
            *out++ = (uint8_t)point;
        } else if (point < 0x800) {
            *out++ = (uint8_t)(0xc0 | point >> 6);
            *out++ = (uint8_t)(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            *out++ = (uint8_t)(0xe0 | point >> 12);
            *out++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
            *out++ = (uint8_t)(0x80 | (point & 0x3f));
        } else {
            *out++ = (uint8_t)(0xf0 | point >> 18);
            *out++ = (uint8_t)(0x80 | (point >> 12 & 0x3f));
            *out++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
            *out++ = (uint8_t)(0x80 | (point & 0x3f));
        }
    }
    *len = (size_t)(out - *to);
    return true;
}
