/* SPDX-License-Identifier: Apache-2.0 */
/* Reading pickles; see pickle.h. A pickle is a program for a machine with a stack and a memo
   (Python's pickletools lists its instructions). Here each instruction makes at most one value and
   puts at most one number on the stack, so that memory is in proportion to the pickle. */
#include "files/pickle.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct stack {
    int64_t *items;
    int64_t count, capacity;
};

struct pickle {
    sumi_context *context;
    const char *name; /* for messages, while it is read */
    const uint8_t *bytes;
    size_t size, place;
    struct pickle_value *values;
    int64_t count, capacity;
    struct stack stack, marks, memo; /* marks: lengths of the stack; memo: numbers of values */
};

/* ---- Growing ---- */

static sumi_status push(pickle *p, struct stack *stack, int64_t number)
{
    if (stack->count == stack->capacity) {
        int64_t capacity = stack->capacity ? 2 * stack->capacity : 64;
        int64_t *larger = context_allocate(p->context, (size_t)capacity, sizeof *larger);
        if (!larger) return SUMI_ERROR_MEMORY;
        if (stack->count) memcpy(larger, stack->items, (size_t)stack->count * sizeof *larger);
        context_release(p->context, stack->items);
        stack->items = larger;
        stack->capacity = capacity;
    }
    stack->items[stack->count++] = number;
    return SUMI_OK;
}

/* Makes a value and pushes it. */
static sumi_status push_value(pickle *p, struct pickle_value value)
{
    if (p->count == p->capacity) {
        int64_t capacity = p->capacity ? 2 * p->capacity : 256;
        struct pickle_value *larger =
            context_allocate(p->context, (size_t)capacity, sizeof *larger);
        if (!larger) return SUMI_ERROR_MEMORY;
        if (p->count) memcpy(larger, p->values, (size_t)p->count * sizeof *larger);
        context_release(p->context, p->values);
        p->values = larger;
        p->capacity = capacity;
    }
    p->values[p->count] = value;
    return push(p, &p->stack, p->count++);
}

/* Adds the number of a value to the items of another. */
static sumi_status add_item(pickle *p, int64_t owner, int64_t number)
{
    struct pickle_value *value = &p->values[owner];
    struct stack items = {value->items, value->count, value->capacity};
    TRY(push(p, &items, number));
    value->items = items.items;
    value->count = items.count;
    value->capacity = items.capacity;
    return SUMI_OK;
}

/* ---- Failures ---- */

static sumi_status fail(const pickle *p, const char *what)
{
    return context_fail(p->context, SUMI_ERROR_FORMAT, "%s: damaged pickle: %s at byte %zu",
                        p->name, what, p->place);
}

/* ---- Operands ---- */

static sumi_status take_bytes(pickle *p, size_t size, const uint8_t **bytes)
{
    if (size > p->size - p->place) return fail(p, "cut short");
    *bytes = p->bytes + p->place;
    p->place += size;
    return SUMI_OK;
}

/* A little-endian number without sign. */
static sumi_status take_number(pickle *p, int size, uint64_t *number)
{
    const uint8_t *bytes = NULL;
    TRY(take_bytes(p, (size_t)size, &bytes));
    *number = 0;
    for (int i = size - 1; i >= 0; i--) *number = *number << 8 | bytes[i];
    return SUMI_OK;
}

/* The text up to the end of the line. */
static sumi_status take_line(pickle *p, const char **text, size_t *size)
{
    const uint8_t *start = p->bytes + p->place, *end = memchr(start, '\n', p->size - p->place);
    if (!end) return fail(p, "a line without an end");
    *text = (const char *)start;
    *size = (size_t)(end - start);
    p->place += *size + 1;
    return SUMI_OK;
}

static sumi_status pop(pickle *p, int64_t *number)
{
    int64_t least = p->marks.count ? p->marks.items[p->marks.count - 1] : 0;
    if (p->stack.count <= least) return fail(p, "the stack is empty");
    *number = p->stack.items[--p->stack.count];
    return SUMI_OK;
}

/* Pops the newest mark; the values since then are at stack.items[*first ...]. */
static sumi_status pop_mark(pickle *p, int64_t *first)
{
    if (!p->marks.count) return fail(p, "there is no mark");
    *first = p->marks.items[--p->marks.count];
    return SUMI_OK;
}

/* ---- Instructions ---- */

static sumi_status push_text(pickle *p, int size_bytes)
{
    uint64_t size = 0;
    const uint8_t *bytes = NULL;
    TRY(take_number(p, size_bytes, &size));
    if (size > p->size) return fail(p, "cut short");
    TRY(take_bytes(p, (size_t)size, &bytes));
    return push_value(p, (struct pickle_value){.type = PICKLE_TEXT,
                                               .text = (const char *)bytes,
                                               .size = (size_t)size});
}

static sumi_status push_whole(pickle *p, int64_t whole)
{
    return push_value(p, (struct pickle_value){.type = PICKLE_WHOLE, .whole = whole});
}

/* A whole number in two's complement; more than 8 bytes become 0, which no tensor needs. */
static sumi_status push_long(pickle *p, int size_bytes)
{
    uint64_t size = 0, whole = 0;
    const uint8_t *bytes = NULL;
    TRY(take_number(p, size_bytes, &size));
    TRY(take_bytes(p, (size_t)size, &bytes));
    if (size > 8) return push_whole(p, 0);
    if (size && bytes[size - 1] & 0x80) whole = UINT64_MAX;
    for (size_t i = size; i-- > 0;) whole = whole << 8 | bytes[i];
    return push_whole(p, (int64_t)whole);
}

/* A big-endian double. */
static sumi_status push_double(pickle *p)
{
    const uint8_t *bytes = NULL;
    uint64_t word = 0;
    double number;
    TRY(take_bytes(p, 8, &bytes));
    for (int i = 0; i < 8; i++) word = word << 8 | bytes[i];
    memcpy(&number, &word, sizeof number);
    return push_value(p, (struct pickle_value){.type = PICKLE_NUMBER, .number = number});
}

/* A line of decimal digits, of protocol 0; "00" and "01" are flags. */
static sumi_status push_decimal(pickle *p)
{
    char text[32];
    const char *line = NULL;
    size_t size = 0;
    int64_t whole = 0;
    TRY(take_line(p, &line, &size));
    if (size && line[size - 1] == 'L') size--;
    snprintf(text, sizeof text, "%.*s", (int)(size < 31 ? size : 31), line);
    if (!text_to_whole(text, &whole)) return fail(p, "a number is not one");
    return push_whole(p, whole);
}

/* The name of a function or class: "module\nname\n" in the pickle. */
static sumi_status push_name(pickle *p)
{
    const char *module = NULL, *name = NULL;
    size_t module_size = 0, size = 0;
    TRY(take_line(p, &module, &module_size));
    TRY(take_line(p, &name, &size));
    return push_value(p, (struct pickle_value){
                             .type = PICKLE_NAME, .text = module, .size = module_size + 1 + size});
}

/* The same of two texts on the stack, which are kept as items. */
static sumi_status join_name(pickle *p)
{
    int64_t module = 0, name = 0;
    TRY(pop(p, &name));
    TRY(pop(p, &module));
    if (p->values[module].type != PICKLE_TEXT || p->values[name].type != PICKLE_TEXT)
        return fail(p, "a name is not a text");
    TRY(push_value(p, (struct pickle_value){.type = PICKLE_NAME}));
    int64_t made = p->count - 1;
    TRY(add_item(p, made, module));
    return add_item(p, made, name);
}

/* A tuple of the values since the newest mark, or a dict of them. */
static sumi_status gather(pickle *p, enum pickle_type type)
{
    int64_t first = 0;
    TRY(pop_mark(p, &first));
    int64_t end = p->stack.count;
    if (type == PICKLE_DICT && (end - first) % 2) return fail(p, "a key without a value");
    TRY(push_value(p, (struct pickle_value){.type = type}));
    int64_t made = p->count - 1;
    for (int64_t i = first; i < end; i++) TRY(add_item(p, made, p->stack.items[i]));
    p->stack.items[first] = made;
    p->stack.count = first + 1;
    return SUMI_OK;
}

/* A value of the `count` newest ones. */
static sumi_status wrap(pickle *p, enum pickle_type type, int count)
{
    int64_t parts[3] = {0};
    for (int i = count - 1; i >= 0; i--) TRY(pop(p, &parts[i]));
    TRY(push_value(p, (struct pickle_value){.type = type}));
    int64_t made = p->count - 1;
    for (int i = 0; i < count; i++) TRY(add_item(p, made, parts[i]));
    return SUMI_OK;
}

/* The container below `depth` values of the stack, to which they are added. */
static sumi_status find_container(pickle *p, int64_t place, enum pickle_type type, int64_t *owner)
{
    int64_t least = p->marks.count ? p->marks.items[p->marks.count - 1] : 0;
    if (place < least) return fail(p, "the stack is empty");
    *owner = p->stack.items[place];
    /* a call may have made a dict or a list, such as collections.OrderedDict */
    enum pickle_type own = p->values[*owner].type;
    if (own == type || own == PICKLE_CALL) return SUMI_OK;
    return fail(p, "items are added to what is no container");
}

/* Adds the values from stack.items[first] to the container before them. Those of a call follow its
   name and its arguments. */
static sumi_status add_values(pickle *p, int64_t first, enum pickle_type type)
{
    int64_t owner = 0, end = p->stack.count;
    TRY(find_container(p, first - 1, type, &owner));
    if (type == PICKLE_DICT && (end - first) % 2) return fail(p, "a key without a value");
    for (int64_t i = first; i < end; i++) TRY(add_item(p, owner, p->stack.items[i]));
    p->stack.count = first;
    return SUMI_OK;
}

static sumi_status add_newest(pickle *p, int64_t count, enum pickle_type type)
{
    if (p->stack.count < count) return fail(p, "the stack is empty");
    return add_values(p, p->stack.count - count, type);
}

static sumi_status add_marked(pickle *p, enum pickle_type type)
{
    int64_t first = 0;
    TRY(pop_mark(p, &first));
    if (first < 1) return fail(p, "the stack is empty");
    return add_values(p, first, type);
}

/* ---- The memo ---- */

static sumi_status remember(pickle *p, uint64_t place)
{
    if (!p->stack.count) return fail(p, "the stack is empty");
    if (place > p->size) return fail(p, "a place of the memo is too large");
    while ((uint64_t)p->memo.count <= place) TRY(push(p, &p->memo, -1));
    p->memo.items[place] = p->stack.items[p->stack.count - 1];
    return SUMI_OK;
}

static sumi_status recall(pickle *p, uint64_t place)
{
    if (place >= (uint64_t)p->memo.count || p->memo.items[place] < 0)
        return fail(p, "the memo has no such value");
    return push(p, &p->stack, p->memo.items[place]);
}

static sumi_status use_memo(pickle *p, uint8_t code)
{
    uint64_t place = 0;
    TRY(take_number(p, code == 'q' || code == 'h' ? 1 : 4, &place));
    return code == 'q' || code == 'r' ? remember(p, place) : recall(p, place);
}

/* The same with a line of digits, of protocol 0. */
static sumi_status use_memo_line(pickle *p, uint8_t code)
{
    const char *line = NULL;
    size_t size = 0;
    char text[32];
    uint64_t place = 0;
    TRY(take_line(p, &line, &size));
    snprintf(text, sizeof text, "%.*s", (int)(size < 31 ? size : 31), line);
    if (!text_to_seed(text, &place)) return fail(p, "a place of the memo is no number");
    return code == 'p' ? remember(p, place) : recall(p, place);
}

/* ---- Running ---- */

static sumi_status push_number(pickle *p, int size)
{
    uint64_t number = 0;
    TRY(take_number(p, size, &number));
    return push_whole(p, size == 4 ? (int32_t)number : (int64_t)number);
}

static sumi_status skip(pickle *p, size_t size)
{
    const uint8_t *bytes = NULL;
    return take_bytes(p, size, &bytes);
}

static sumi_status push_line(pickle *p)
{
    struct pickle_value value = {.type = PICKLE_TEXT};
    TRY(take_line(p, &value.text, &value.size));
    return push_value(p, value);
}

/* A state that an object is given (BUILD) is dropped. */
static sumi_status drop(pickle *p)
{
    int64_t number = 0;
    return pop(p, &number);
}

static sumi_status drop_marked(pickle *p)
{
    int64_t first = 0;
    TRY(pop_mark(p, &first));
    p->stack.count = first;
    return SUMI_OK;
}

static sumi_status push_plain(pickle *p, enum pickle_type type, int64_t whole)
{
    return push_value(p, (struct pickle_value){.type = type, .whole = whole});
}

/* Instructions without an operand on the stack. */
static sumi_status run_push(pickle *p, uint8_t code, bool *known)
{
    *known = true;
    switch (code) {
    case 0x80: return skip(p, 1); /* PROTO */
    case 0x95: return skip(p, 8); /* FRAME */
    case 'N': return push_plain(p, PICKLE_NONE, 0);
    case 0x88: return push_plain(p, PICKLE_FLAG, 1);
    case 0x89: return push_plain(p, PICKLE_FLAG, 0);
    case 'J': return push_number(p, 4);
    case 'K': return push_number(p, 1);
    case 'M': return push_number(p, 2);
    case 0x8a: return push_long(p, 1);
    case 0x8b: return push_long(p, 4);
    case 'I':
    case 'L': return push_decimal(p);
    case 'G': return push_double(p);
    case 'X':
    case 'T':
    case 'B': return push_text(p, 4);
    case 0x8c:
    case 'U':
    case 'C': return push_text(p, 1);
    case 0x8d:
    case 0x8e:
    case 0x96: return push_text(p, 8);
    case 'V':
    case 'S':
    case 'F': return push_line(p);
    case 'c': return push_name(p);
    case ')':
    case ']':
    case 0x8f: return push_plain(p, PICKLE_TUPLE, 0);
    case '}': return push_plain(p, PICKLE_DICT, 0);
    case '(': return push(p, &p->marks, p->stack.count);
    default: *known = false; return SUMI_OK;
    }
}

/* Instructions with operands on the stack. */
static sumi_status run_other(pickle *p, uint8_t code)
{
    switch (code) {
    case '0': return drop(p);
    case '1': return drop_marked(p);
    case 't':
    case 'l':
    case 0x91: return gather(p, PICKLE_TUPLE);
    case 'd': return gather(p, PICKLE_DICT);
    case 0x85: return wrap(p, PICKLE_TUPLE, 1);
    case 0x86: return wrap(p, PICKLE_TUPLE, 2);
    case 0x87: return wrap(p, PICKLE_TUPLE, 3);
    case 'R':
    case 0x81: return wrap(p, PICKLE_CALL, 2);
    case 0x93: return join_name(p);
    case 'Q': return wrap(p, PICKLE_OUTSIDE, 1);
    case 'b': return drop(p);
    case 's': return add_newest(p, 2, PICKLE_DICT);
    case 'a': return add_newest(p, 1, PICKLE_TUPLE);
    case 'u': return add_marked(p, PICKLE_DICT);
    case 'e':
    case 0x90: return add_marked(p, PICKLE_TUPLE);
    case 'q':
    case 'r':
    case 'h':
    case 'j': return use_memo(p, code);
    case 'p':
    case 'g': return use_memo_line(p, code);
    case 0x94: return remember(p, (uint64_t)p->memo.count);
    default: break;
    }
    char what[48];
    snprintf(what, sizeof what, "the unknown instruction 0x%02x", code);
    return fail(p, what);
}

static sumi_status run(pickle *p)
{
    while (p->place < p->size) {
        uint8_t code = p->bytes[p->place++];
        bool known = false;
        if (code == '.') {
            if (p->stack.count == 1 && !p->marks.count) return SUMI_OK;
            return fail(p, "the stack has not one value at the end");
        }
        TRY(run_push(p, code, &known));
        if (!known) TRY(run_other(p, code));
    }
    return fail(p, "cut short");
}

sumi_status pickle_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                         pickle **parsed)
{
    *parsed = NULL;
    pickle *p = context_allocate_zeroed(context, 1, sizeof *p);
    if (!p) return SUMI_ERROR_MEMORY;
    p->context = context;
    p->name = name;
    p->bytes = bytes;
    p->size = size;
    sumi_status status = run(p);
    p->name = NULL;
    if (status == SUMI_OK) *parsed = p;
    else pickle_free(p);
    return status;
}

void pickle_free(pickle *p)
{
    if (!p) return;
    sumi_context *context = p->context;
    for (int64_t i = 0; i < p->count; i++) context_release(context, p->values[i].items);
    context_release(context, p->values);
    context_release(context, p->stack.items);
    context_release(context, p->marks.items);
    context_release(context, p->memo.items);
    context_release(context, p);
}

/* ---- Looking things up ---- */

const struct pickle_value *pickle_root(const pickle *p)
{
    return &p->values[p->stack.items[0]];
}

const struct pickle_value *pickle_get(const pickle *p, int64_t number)
{
    return &p->values[number];
}

const struct pickle_value *pickle_item(const pickle *p, const struct pickle_value *value, int64_t i)
{
    bool there = value && value->items && i >= 0 && i < value->count;
    return there ? &p->values[value->items[i]] : NULL;
}

const struct pickle_value *pickle_member(const pickle *p, const struct pickle_value *dict,
                                         const char *key)
{
    /* what is added to a call follows its name and its arguments */
    int64_t first = dict && dict->type == PICKLE_CALL ? 2 : 0;
    if (!dict || (dict->type != PICKLE_DICT && dict->type != PICKLE_CALL)) return NULL;
    for (int64_t i = first; i + 1 < dict->count; i += 2) {
        if (pickle_is_text(&p->values[dict->items[i]], key)) return &p->values[dict->items[i + 1]];
    }
    return NULL;
}

bool pickle_is_text(const struct pickle_value *value, const char *text)
{
    return value && value->type == PICKLE_TEXT && value->size == strlen(text)
           && memcmp(value->text, text, value->size) == 0;
}

bool pickle_is_name(const pickle *p, const struct pickle_value *value, const char *module,
                    const char *name)
{
    size_t length = strlen(module);
    if (!value || value->type != PICKLE_NAME) return false;
    if (!value->text)
        return pickle_is_text(pickle_item(p, value, 0), module)
               && pickle_is_text(pickle_item(p, value, 1), name);
    /* two lines of the pickle */
    return value->size == length + 1 + strlen(name) && memcmp(value->text, module, length) == 0
           && value->text[length] == '\n'
           && memcmp(value->text + length + 1, name, strlen(name)) == 0;
}
