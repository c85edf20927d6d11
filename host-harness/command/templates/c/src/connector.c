/* The connector {{NAME}}: what it is, and how it reads people. json.c reads JSON in place.
 *
 * Everything goes through `smp_connector_http_send`, which is given a path; the host attaches the
 * key. There is no clock, file or randomness. An answer that is not as expected is a failure, never
 * an empty list. What is returned is freed by the bindings, so every text is a copy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connector_plugin.h"
#include "json.h"

#define C(name) exports_smp_connector_connector_##name
#define KIND(name) EXPORTS_SMP_CONNECTOR_CONNECTOR_FAILURE_KIND_##name

typedef connector_plugin_string_t string_t;
typedef C(failure_t) failure_t;

#define SIZE 500
#define FIND_TEAM "Copy the last part of the address of your team page into the field Team."
#define NEW_KEY                                                                                    \
    "As an owner of the team, open Settings > API in {{NAME}}, make a new key with the scopes "    \
    "team:read and people:read, and paste it into the field Key."
#define LATER "Nothing is wrong with your settings. Try again in a few minutes."
#define REPORT "Report it to the publisher of this connector: the service may have changed."

static string_t copy(const char *text) {
    string_t to;
    connector_plugin_string_dup(&to, text);
    return to;
}

static connector_plugin_option_string_t some(const char *text) {
    return (connector_plugin_option_string_t){text != NULL, copy(text ? text : "")};
}

/* Room for this many, all zero: absent options, empty texts and lists. */
static void *room(size_t count, size_t size) {
    void *made = calloc(count ? count : 1, size);
    if (!made) abort();
    return made;
}

/* ---- describe: constants, the source of the listing, the form and the setup guide ------------- */

static C(data_field_t) field(const char *name, const char *description) {
    return (C(data_field_t)){copy(name), copy(description)};
}

static C(setting_field_t) setting(const char *key, const char *label, const char *help,
                                  const char *placeholder, const char *pattern) {
    C(setting_field_t) made = {0};
    made.key = copy(key);
    made.label = copy(label);
    made.help = copy(help);
    made.placeholder = copy(placeholder);
    made.pattern = some(pattern);
    made.required = true;
    return made;
}

static C(endpoint_t) endpoint(const char *path, const char *purpose, const char *scope) {
    C(endpoint_t) made = {0};
    made.method = SMP_CONNECTOR_HTTP_METHOD_GET;
    made.path = copy(path);
    made.purpose = copy(purpose);
    made.scope = some(scope);
    made.read_only = true;
    return made;
}

static connector_plugin_list_string_t texts(size_t count, const char *const *from) {
    connector_plugin_list_string_t made = {room(count, sizeof(string_t)), count};
    for (size_t i = 0; i < count; i++) made.ptr[i] = copy(from[i]);
    return made;
}

void C(describe)(C(descriptor_t) * ret) {
    memset(ret, 0, sizeof *ret);
    ret->id = copy("{{ID}}");
    ret->name = copy("{{NAME}}");
    ret->version = copy("0.1.0");
    ret->vendor = copy("{{NAME}} Example Ltd.");
    ret->summary =
        copy("A made-up service with teams and people. Replace this text, and every other one.");
    ret->pricing = copy("By the number of people in the team.");
    ret->status = copy("Example");
    ret->integration_type = copy("api");

    ret->data_collected.len = 1;
    ret->data_collected.ptr = room(1, sizeof *ret->data_collected.ptr);
    C(data_set_t) *members = ret->data_collected.ptr;
    members->name = copy("members");
    members->fields.len = 4;
    members->fields.ptr = room(4, sizeof *members->fields.ptr);
    members->fields.ptr[0] = field("email", "The address that the person signs in with");
    members->fields.ptr[1] = field("name", "The full name");
    members->fields.ptr[2] = field("role", "The products that the person uses");
    members->fields.ptr[3] = field("last seen", "The last time that the person used one of them");

    static const char *const permissions[] = {"Owner of the team, to make the key."};
    ret->permissions_required = texts(1, permissions);

    ret->settings.len = 2;
    ret->settings.ptr = room(2, sizeof *ret->settings.ptr);
    ret->settings.ptr[0] = setting("team", "Team", FIND_TEAM, "your-team", "[a-z0-9-]+");
    ret->settings.ptr[1] = setting("key", "Key", NEW_KEY, "key_…", "key_[A-Za-z0-9]+");
    C(option_secret_use_t) *secret = &ret->settings.ptr[1].secret;
    secret->is_some = true;
    secret->val.attachment.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_ATTACHMENT_BEARER;
    secret->val.prefixes.len = 1;
    secret->val.prefixes.ptr = room(1, sizeof *secret->val.prefixes.ptr);
    secret->val.prefixes.ptr[0] =
        (C(secret_prefix_t)){copy("key_"), copy("a key of a team"), true, copy(NEW_KEY)};

    ret->api.base = copy("https://api.{{ID}}.example");
    ret->api.endpoints.len = 2;
    ret->api.endpoints.ptr = room(2, sizeof *ret->api.endpoints.ptr);
    ret->api.endpoints.ptr[0] =
        endpoint("/v1/teams/{team}", "Reads the name of the team", "team:read");
    ret->api.endpoints.ptr[1] =
        endpoint("/v1/teams/{team}/people", "Reads the people of the team", "people:read");
    ret->api.rate_limit = (C(rate_limit_t)){10, 1000};

    static const char *const making[] = {
        "In {{NAME}}, open **Settings > API** and choose **New key**.",
        "Tick the scopes `team:read` and `people:read`.",
        "Copy the key. It begins with `key_` and is shown once.",
    };
    static const char *const connecting[] = {
        "Enter the **Team** and the **Key**, and have them checked."};
    ret->setup_guide.len = 2;
    ret->setup_guide.ptr = room(2, sizeof *ret->setup_guide.ptr);
    ret->setup_guide.ptr[0] = (C(guide_section_t)){
        copy("Make a key"), copy("You need to be an owner of the team."), texts(3, making)};
    ret->setup_guide.ptr[1] = (C(guide_section_t)){copy("Connect"), copy(""), texts(1, connecting)};

    ret->faq.len = 1;
    ret->faq.ptr = room(1, sizeof *ret->faq.ptr);
    ret->faq.ptr[0] = (C(question_t)){
        copy("Why is somebody's last activity unknown?"),
        copy("Because that person has not signed in yet, or the service does not tell when.")};
}

/* ---- requests and answers --------------------------------------------------------------------- */

static bool fail(failure_t *err, C(failure_kind_t) kind, const char *message, const char *hint,
                 const char *at) {
    memset(err, 0, sizeof *err);
    err->kind = kind;
    err->message = copy(message);
    err->hint = copy(hint);
    err->setting = some(at);
    return false;
}

static bool strange(failure_t *err, const char *message) {
    return fail(err, KIND(UNEXPECTED_RESPONSE), message, REPORT, NULL);
}

/* The team of the settings, if it is well formed: it becomes part of a path. */
static bool team_of(const C(list_setting_t) * settings, char team[65], failure_t *err) {
    for (size_t i = 0; i < settings->len; i++) {
        string_t key = settings->ptr[i].key, value = settings->ptr[i].value;
        if (key.len != 4 || memcmp(key.ptr, "team", 4) != 0) continue;
        size_t at = 0;
        for (; at < value.len && at < 64; at++) {
            char sign = (char)value.ptr[at];
            if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", sign) || !sign) break;
            team[at] = sign;
        }
        team[at] = 0;
        if (at > 0 && at == value.len) return true;
    }
    return fail(err, KIND(INVALID_SETTINGS),
                "The team is missing, or has other characters than a-z, 0-9 and -.", FIND_TEAM,
                "team");
}

static bool unanswered(const smp_connector_http_error_t *error, failure_t *err) {
    char message[96];
    switch (error->tag) {
    case SMP_CONNECTOR_HTTP_ERROR_RATE_LIMITED:
        fail(err, KIND(RATE_LIMITED), "{{NAME}} asks to come back later (429).", LATER, NULL);
        err->retry_after_seconds = error->val.rate_limited.retry_after_seconds;
        return false;
    case SMP_CONNECTOR_HTTP_ERROR_UNAVAILABLE:
        snprintf(message, sizeof message, "{{NAME}} does not work at the moment (%d).",
                 error->val.unavailable.status);
        fail(err, KIND(UPSTREAM), message, LATER, NULL);
        err->retry_after_seconds = error->val.unavailable.retry_after_seconds;
        return false;
    case SMP_CONNECTOR_HTTP_ERROR_TIMED_OUT:
        return fail(err, KIND(UPSTREAM), "{{NAME}} did not answer in time.", LATER, NULL);
    case SMP_CONNECTOR_HTTP_ERROR_CONNECTION_FAILED:
        return fail(err, KIND(UPSTREAM), "{{NAME}} cannot be reached.", LATER, NULL);
    case SMP_CONNECTOR_HTTP_ERROR_TOO_LARGE:
        return strange(err, "The answer is too large.");
    default:
        return fail(err, KIND(OTHER), "The request was not sent.", REPORT, NULL);
    }
}

static bool refused(int status, failure_t *err) {
    char message[96];
    switch (status) {
    case 401:
        return fail(err, KIND(CREDENTIALS),
                    "The key is not accepted: it is wrong, expired or revoked (401).", NEW_KEY,
                    "key");
    case 403:
        return fail(err, KIND(PERMISSION), "The key may not read this team (403).", NEW_KEY, "key");
    case 404:
        return fail(err, KIND(NOT_FOUND),
                    "There is no such team, or the key is of another one (404).", FIND_TEAM,
                    "team");
    default:
        snprintf(message, sizeof message, "{{NAME}} answered with the status %d.", status);
        if (status >= 500) return fail(err, KIND(UPSTREAM), message, LATER, NULL);
        return strange(err, message);
    }
}

/* Sends a request. The caller frees the response, in which the JSON of the answer stands. */
static bool get(const char *path, smp_connector_http_response_t *response, json_t *answer,
                failure_t *err) {
    smp_connector_http_request_t request = {0};
    smp_connector_http_error_t error;
    request.method = SMP_CONNECTOR_HTTP_METHOD_GET;
    connector_plugin_string_set(&request.path_with_query, path);
    if (!smp_connector_http_send(&request, response, &error)) {
        unanswered(&error, err);
        smp_connector_http_error_free(&error);
        return false;
    }
    if (response->status != 200) {
        refused(response->status, err);
    } else if (!json_read(response->body.ptr, response->body.len, answer)) {
        strange(err, "The answer is not JSON, or is nested too deep.");
    } else {
        return true;
    }
    smp_connector_http_response_free(response);
    return false;
}

static bool text_field(json_t object, const char *name, string_t *to) {
    json_t value;
    return json_field(object, name, &value) && json_text(value, &to->ptr, &to->len);
}

static bool account(const char *team, C(account_t) * ret, failure_t *err) {
    smp_connector_http_response_t response;
    json_t answer;
    char path[128];
    snprintf(path, sizeof path, "/v1/teams/%s", team);
    if (!get(path, &response, &answer, err)) return false;
    memset(ret, 0, sizeof *ret);
    bool is_it = text_field(answer, "id", &ret->id) && ret->id.len == strlen(team) &&
                 memcmp(ret->id.ptr, team, ret->id.len) == 0 &&
                 text_field(answer, "name", &ret->name);
    smp_connector_http_response_free(&response);
    if (is_it) return true;
    C(account_free)(ret);
    return strange(err, "The answer is not about this team.");
}

static bool is_text(string_t text, const char *other) {
    return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

/* Reads a person. What was made before a fault is freed with the page. */
static bool member(json_t person, C(member_t) * to) {
    json_t value;
    string_t status = {0};
    int64_t seen = 0;
    if (!text_field(person, "id", &to->id) || to->id.len == 0) return false;
    if (!text_field(person, "name", &to->name)) return false;
    if (json_field(person, "email", &value) && !json_is_null(value)) {
        if (!json_text(value, &to->email.val.ptr, &to->email.val.len)) return false;
        to->email.is_some = true;
    }
    bool is_seen = json_field(person, "last_seen", &value) && !json_is_null(value);
    if (is_seen && !json_number(value, &seen)) return false;
    to->last_seen.is_some = is_seen;
    to->last_seen.val.seconds = seen;
    if (!text_field(person, "status", &status)) return false;
    to->status.is_some = true;
    bool is_active = is_text(status, "active");
    if (is_active) {
        to->status.val.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_MEMBER_STATUS_ACTIVE;
        to->role = copy("{{NAME}}");
        to->uses.len = 1;
        to->uses.ptr = room(1, sizeof *to->uses.ptr);
        to->uses.ptr[0].last_active = to->last_seen;
    } else if (is_text(status, "invited")) {
        to->status.val.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_MEMBER_STATUS_INVITED;
    } else if (is_text(status, "suspended")) {
        to->status.val.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_MEMBER_STATUS_SUSPENDED;
    } else {
        to->status.val.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_MEMBER_STATUS_OTHER;
        to->status.val.val.other = status;
        return true;
    }
    free(status.ptr);
    return true;
}

/* A page of people. The cursor is the number of the page. */
static bool page(const char *team, const string_t *cursor, C(member_page_t) * ret,
                 failure_t *err) {
    json_t number = {(const uint8_t *)"1", 1}, answer, people, total, more, person = {0};
    int64_t at = 1, all = 0;
    if (cursor) number = (json_t){cursor->ptr, cursor->len};
    if (!json_number(number, &at) || at < 1 || at > 999999999) {
        return fail(err, KIND(CURSOR_EXPIRED), "The cursor is not one of this connector.", LATER,
                    NULL);
    }
    char path[160], next[16];
    snprintf(path, sizeof path, "/v1/teams/%s/people?page=%d&size=%d", team, (int)at, SIZE);
    smp_connector_http_response_t response;
    if (!get(path, &response, &answer, err)) return false;
    memset(ret, 0, sizeof *ret);
    bool is_page = json_field(answer, "people", &people) && json_is_list(people) &&
                   json_field(answer, "total", &total) && json_number(total, &all) && all >= 0 &&
                   json_field(answer, "more", &more) && json_is_bool(more);
    if (!is_page) {
        smp_connector_http_response_free(&response);
        return strange(err, "The answer is not a page of people.");
    }
    size_t count = 0;
    while (json_next(people, &person)) count++;
    ret->members.ptr = room(count, sizeof *ret->members.ptr);
    person.ptr = NULL;
    bool is_read = true;
    while (is_read && json_next(people, &person)) {
        is_read = member(person, &ret->members.ptr[ret->members.len++]);
    }
    if (json_is_true(more)) {
        snprintf(next, sizeof next, "%d", (int)at + 1);
        ret->next = (C(option_cursor_t)){true, copy(next)};
    }
    ret->total = (connector_plugin_option_u64_t){true, (uint64_t)all};
    ret->products.len = 1;
    ret->products.ptr = room(1, sizeof *ret->products.ptr);
    ret->products.ptr[0].key = copy("{{ID}}");
    ret->products.ptr[0].name = copy("{{NAME}}");
    smp_connector_http_response_free(&response);
    if (is_read) return true;
    C(member_page_free)(ret);
    return strange(err, "The answer has a person that is not recognized.");
}

/* ---- the calls -------------------------------------------------------------------------------- */

static bool judged(C(check_t) * check, const char *id, const char *title, bool reached, bool passed,
                   const char *message, const failure_t *failure) {
    check->id = copy(id);
    check->title = copy(title);
    check->required = true;
    if (!reached) {
        check->outcome.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_OUTCOME_SKIPPED;
        check->outcome.val.skipped = copy("A check before it failed.");
    } else if (passed) {
        check->outcome.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_OUTCOME_PASSED;
        check->outcome.val.passed = copy(message);
    } else {
        check->outcome.tag = EXPORTS_SMP_CONNECTOR_CONNECTOR_OUTCOME_FAILED;
        check->outcome.val.failed = *failure;
    }
    return reached && passed;
}

void C(validate)(C(list_setting_t) * settings, C(report_t) * ret) {
    char team[65], message[128] = "";
    failure_t failure;
    C(account_t) opened;
    C(member_page_t) found;
    memset(ret, 0, sizeof *ret);
    ret->checks.len = 3;
    ret->checks.ptr = room(3, sizeof *ret->checks.ptr);
    C(check_t) *checks = ret->checks.ptr;
    bool ready = judged(&checks[0], "team", "The team is named", true,
                        team_of(settings, team, &failure), "It may be one.", &failure);
    bool passed = ready && account(team, &opened, &failure);
    if (passed) {
        snprintf(message, sizeof message, "It opens the team %s.", team);
        C(account_free)(&opened);
    }
    ready = judged(&checks[1], "access", "The key is accepted", ready, passed, message, &failure);
    passed = ready && page(team, NULL, &found, &failure);
    if (passed) {
        snprintf(message, sizeof message, "There are %lld people.", (long long)found.total.val);
        if (found.members.len == 0) {
            passed = fail(&failure, KIND(NO_MEMBERS), "Nobody is in the team.", FIND_TEAM, "team");
        }
        C(member_page_free)(&found);
    }
    judged(&checks[2], "people", "The team has people", ready, passed, message, &failure);
    C(list_setting_free)(settings);
}

bool C(connect)(C(list_setting_t) * settings, C(account_t) * ret, failure_t *err) {
    char team[65];
    bool done = team_of(settings, team, err) && account(team, ret, err);
    C(list_setting_free)(settings);
    return done;
}

bool C(collect_members)(C(list_setting_t) * settings, string_t *maybe_cursor,
                        C(member_page_t) * ret, failure_t *err) {
    char team[65];
    bool done = team_of(settings, team, err) && page(team, maybe_cursor, ret, err);
    C(list_setting_free)(settings);
    if (maybe_cursor) connector_plugin_string_free(maybe_cursor);
    return done;
}

/* The bindings ask for an object file with the contract's types. `smp-harness seal` adds these. */
void __component_type_object_force_link_connector_plugin(void);
void __component_type_object_force_link_connector_plugin(void) {}
