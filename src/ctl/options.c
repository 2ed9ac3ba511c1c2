/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the parser of SLABKIT_OPTIONS, and the description of each option, from options.def.
 * Below: ctl/writer.h, options_debug.c.
 */
#include "ctl/options.h"

#include "ctl/options_debug.h"
#include "ctl/writer.h"

enum option_kind {
    OPTION_ENUM,
    OPTION_NUM,
    OPTION_SIZE,
    OPTION_BOOL,
    OPTION_PATH,
    OPTION_DEBUG
};

struct option {
    const char *key, *help;
    const char *names; /* OPTION_ENUM: the values; OPTION_DEBUG: the letters */
    enum option_kind kind;
    uint64_t def, min, max;
    size_t offset; /* of the field in struct options */
};

static const struct option table[] = {
#define OPT_ENUM(field, key, def, help, names)                                                     \
    {key, help, names, OPTION_ENUM, def, 0, 0, offsetof(struct options, field)},
#define OPT_NUM(field, key, def, min, max, help)                                                   \
    {key, help, NULL, OPTION_NUM, def, min, max, offsetof(struct options, field)},
#define OPT_SIZE(field, key, def, min, max, help)                                                  \
    {key, help, NULL, OPTION_SIZE, def, min, max, offsetof(struct options, field)},
#define OPT_BOOL(field, key, def, help)                                                            \
    {key, help, NULL, OPTION_BOOL, def, 0, 0, offsetof(struct options, field)},
#define OPT_PATH(field, key, help)                                                                 \
    {key, help, NULL, OPTION_PATH, 0, 0, 0, offsetof(struct options, field)},
#define OPT_DEBUG(field, key, letters, help)                                                       \
    {key, help, letters, OPTION_DEBUG, 0, 0, 0, offsetof(struct options, field)},
#include "ctl/options.def"
#undef OPT_ENUM
#undef OPT_NUM
#undef OPT_SIZE
#undef OPT_BOOL
#undef OPT_PATH
#undef OPT_DEBUG
};

/* Every list of names and every number must fit its field. */
#define OPT_ENUM(field, key, def, help, names)                                                     \
    _Static_assert(sizeof(names) <= OPTION_TEXT_BYTES, key);
#define OPT_NUM(field, key, def, min, max, help) _Static_assert((max) <= UINT32_MAX, key);
#define OPT_SIZE(field, key, def, min, max, help)
#define OPT_BOOL(field, key, def, help)
#define OPT_PATH(field, key, help)
#define OPT_DEBUG(field, key, letters, help)                                                       \
    _Static_assert(sizeof(letters ",NAME,...") <= OPTION_TEXT_BYTES, key);
#include "ctl/options.def"
#undef OPT_ENUM
#undef OPT_NUM
#undef OPT_SIZE
#undef OPT_BOOL
#undef OPT_PATH
#undef OPT_DEBUG

/* ---- pieces of text -------------------------------------------------------------------------- */

/* Splits a at its first '='; without one, all of it is key. */
static void span_split(struct span a, struct span *key, struct span *value)
{
    *key = a;
    *value = (struct span){a.at + a.len, 0};
    for (size_t i = 0; i < a.len; i++) {
        if (a.at[i] == '=') {
            key->len = i;
            *value = (struct span){a.at + i + 1, a.len - i - 1};
            return;
        }
    }
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void set_number(const struct option *opt, struct options *o, uint64_t v)
{
    char *field = (char *)o + opt->offset;
    if (opt->kind == OPTION_SIZE)
        *(uint64_t *)field = v;
    else if (opt->kind == OPTION_BOOL)
        *(bool *)field = v != 0;
    else
        *(unsigned *)field = (unsigned)v;
}

static void set_path(const struct option *opt, struct options *o, struct span value)
{
    char *field = (char *)o + opt->offset;
    for (size_t i = 0; i < value.len; i++)
        field[i] = value.at[i];
    field[value.len] = '\0';
}

void options_default(struct options *o)
{
    for (unsigned i = 0; i < SK_ARRAY_SIZE(table); i++) {
        if (table[i].kind == OPTION_PATH || table[i].kind == OPTION_DEBUG)
            set_path(&table[i], o, (struct span){"", 0});
        else
            set_number(&table[i], o, table[i].def);
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Index of value among names "a|b|c". */
static bool parse_name(const char *names, struct span value, uint64_t *out)
{
    for (uint64_t index = 0;; index++) {
        struct span name = span_until(names, '|');
        if (name.len == value.len && value.len > 0) {
            size_t same = 0;
            while (same < name.len && name.at[same] == value.at[same])
                same++;
            if (same == name.len) {
                *out = index;
                return true;
            }
        }
        if (names[name.len] == '\0')
            return false;
        names += name.len + 1;
    }
}

/* Takes the suffix k, m, g or t off value; the shift it stands for. */
static unsigned take_suffix(struct span *value)
{
    static const char letters[] = "kmgt";
    char last = value->len > 0 ? (char)(value->at[value->len - 1] | 0x20) : '\0';
    for (unsigned i = 0; letters[i] != '\0'; i++) {
        if (last == letters[i]) {
            value->len--;
            return 10 * (i + 1);
        }
    }
    return 0;
}

static bool parse_digits(struct span value, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
            return false;
    }
    *out = v;
    return value.len > 0;
}

static bool parse_number(const struct option *opt, struct span value, uint64_t *out)
{
    unsigned shift = opt->kind == OPTION_SIZE ? take_suffix(&value) : 0;
    if (!parse_digits(value, out) || *out > UINT64_MAX >> shift)
        return false;
    *out <<= shift;
    return *out >= opt->min && *out <= opt->max;
}

static bool parse_value(const struct option *opt, struct span value, struct options *o)
{
    uint64_t v = 0;
    bool good = false;
    switch (opt->kind) {
    case OPTION_ENUM:
        good = parse_name(opt->names, value, &v);
        break;
    case OPTION_BOOL:
        good = parse_name("off|on", value, &v);
        break;
    case OPTION_NUM:
    case OPTION_SIZE:
        good = parse_number(opt, value, &v);
        break;
    case OPTION_PATH:
        good = value.len > 0 && value.len < OPTIONS_PATH_BYTES;
        break;
    case OPTION_DEBUG:
        return options_debug_letters(opt->names, value, o ? (char *)o + opt->offset : NULL);
    }
    if (good && o != NULL) {
        if (opt->kind == OPTION_PATH)
            set_path(opt, o, value);
        else
            set_number(opt, o, v);
    }
    return good;
}

/* ---- description ----------------------------------------------------------------------------- */

static void write_number(struct writer *w, const struct option *opt, uint64_t v)
{
    if (opt->kind == OPTION_SIZE)
        writer_size(w, v);
    else
        writer_u64(w, v);
}

static void write_values(struct writer *w, const struct option *opt)
{
    switch (opt->kind) {
    case OPTION_ENUM:
        writer_str(w, opt->names);
        break;
    case OPTION_BOOL:
        writer_str(w, "on|off");
        break;
    case OPTION_NUM:
    case OPTION_SIZE:
        write_number(w, opt, opt->min);
        writer_str(w, "..");
        write_number(w, opt, opt->max);
        break;
    case OPTION_PATH:
        writer_str(w, "FILE");
        break;
    case OPTION_DEBUG:
        writer_str(w, opt->names);
        writer_str(w, ",NAME,...");
        break;
    }
}

static void write_default(struct writer *w, const struct option *opt)
{
    struct span name = {opt->names, 0};
    switch (opt->kind) {
    case OPTION_ENUM:
        name = span_until(opt->names, '|');
        for (uint64_t i = 0; i < opt->def; i++)
            name = span_until(name.at + name.len + 1, '|');
        writer_bytes(w, name.at, name.len);
        break;
    case OPTION_BOOL:
        writer_str(w, opt->def ? "on" : "off");
        break;
    case OPTION_NUM:
    case OPTION_SIZE:
        write_number(w, opt, opt->def);
        break;
    case OPTION_PATH:
    case OPTION_DEBUG:
        break;
    }
}

bool options_describe(unsigned i, struct option_info *out)
{
    struct writer w;
    if (i >= SK_ARRAY_SIZE(table))
        return false;
    out->key = table[i].key;
    out->help = table[i].help;
    writer_init(&w, out->values, sizeof out->values, WRITER_NO_FD);
    write_values(&w, &table[i]);
    writer_text(&w);
    writer_init(&w, out->def, sizeof out->def, WRITER_NO_FD);
    write_default(&w, &table[i]);
    writer_text(&w);
    return true;
}

/* ---- parser ---------------------------------------------------------------------------------- */

struct parse {
    struct options *o;   /* NULL: check only */
    const char *source;  /* where the text stood */
    const char *outcome; /* what becomes of a wrong item, after a space */
    options_complain *complain;
    void *arg;
    unsigned wrong;
    const struct option *names_of; /* OPTION_DEBUG, if the items that follow may be its names */
    bool names_count;              /* and its letters were good */
};

/* The longest complaint: twice SHOWN_BYTES, a list of values and the words around them. */
#define SHOWN_BYTES 64u
#define LINE_BYTES  (2 * SHOWN_BYTES + OPTION_TEXT_BYTES + 128)

static void write_quoted(struct writer *w, struct span s)
{
    writer_char(w, '\'');
    writer_printable(w, s.at, sk_min(s.len, SHOWN_BYTES));
    writer_str(w, s.len > SHOWN_BYTES ? "...'" : "'");
}

static void complain_begin(struct parse *p, struct writer *w, char *line, const char *what)
{
    writer_init(w, line, LINE_BYTES, WRITER_NO_FD);
    writer_str(w, "slabkit: ");
    writer_str(w, p->source);
    writer_str(w, ": ");
    writer_str(w, what);
}

static void complain_end(struct parse *p, struct writer *w)
{
    writer_str(w, p->outcome);
    writer_char(w, '\n');
    p->wrong++;
    p->complain(p->arg, writer_text(w));
}

static void complain_key(struct parse *p, struct span key)
{
    char line[LINE_BYTES];
    struct writer w;
    complain_begin(p, &w, line, "unknown key ");
    write_quoted(&w, key);
    complain_end(p, &w);
}

static void complain_about(struct parse *p, const struct option *opt, const char *what,
                           struct span value)
{
    char line[LINE_BYTES];
    struct writer w;
    complain_begin(p, &w, line, what);
    write_quoted(&w, value);
    writer_str(&w, " for '");
    writer_str(&w, opt->key);
    writer_str(&w, "' (");
    write_values(&w, opt);
    writer_char(&w, ')');
    if (p->outcome[0] != '\0')
        writer_char(&w, ',');
    complain_end(p, &w);
}

static void complain_value(struct parse *p, const struct option *opt, struct span value)
{
    complain_about(p, opt, "bad value ", value);
}

/* Letters beside good ones. */
static void complain_letters(struct parse *p, const struct option *opt, struct span value)
{
    char bad[SHOWN_BYTES + 1];
    struct span letters = {bad, options_debug_others(opt->names, value, bad, sizeof(bad))};
    if (letters.len > 0)
        complain_about(p, opt, "bad letters ", letters);
}

static const struct option *option_named(struct span key)
{
    for (unsigned i = 0; i < SK_ARRAY_SIZE(table); i++)
        if (span_is(key, table[i].key))
            return &table[i];
    return NULL;
}

/* Of a cache, after "debug=LETTERS,". */
static void parse_name_item(struct parse *p, struct span item)
{
    if (!p->names_count)
        return;
    if (!options_debug_name(item, p->o ? (char *)p->o + p->names_of->offset : NULL))
        complain_value(p, p->names_of, item);
}

static void parse_key_item(struct parse *p, struct span key, struct span value)
{
    const struct option *opt = option_named(key);
    bool good = opt != NULL && parse_value(opt, value, p->o);
    bool debug = opt != NULL && opt->kind == OPTION_DEBUG;
    p->names_of = debug ? opt : NULL;
    p->names_count = good;
    if (opt == NULL)
        complain_key(p, key);
    else if (!good)
        complain_value(p, opt, value);
    else if (debug)
        complain_letters(p, opt, value);
}

/* A key without '=' has the empty value, which no option takes. */
static void parse_item(struct parse *p, struct span item)
{
    struct span key, value;
    if (p->names_of != NULL && !span_has(item, '=')) {
        parse_name_item(p, item);
        return;
    }
    span_split(item, &key, &value);
    parse_key_item(p, key, value);
}

static unsigned parse_text(struct parse *p, const char *text)
{
    while (text != NULL && *text != '\0') {
        struct span item = span_until(text, ',');
        if (item.len > 0)
            parse_item(p, item);
        text += item.len;
        text += *text == ',';
    }
    return p->wrong;
}

void options_parse(const char *text, struct options *o, options_complain *complain, void *arg)
{
    struct parse p = {o, "SLABKIT_OPTIONS", " ignored", complain, arg, 0, NULL, false};
    parse_text(&p, text);
}

bool options_check(const char *text, options_complain *complain, void *arg)
{
    struct parse p = {NULL, "--options", "", complain, arg, 0, NULL, false};
    return parse_text(&p, text) == 0;
}
