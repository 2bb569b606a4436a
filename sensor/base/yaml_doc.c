/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_doc.c - see yaml_doc.h: libyaml's events into a tree.  The only file that sees yaml.h.
 *
 * libyaml is quadratic in nesting and in %TAG directives, and it happily carries gigabytes.  So
 * nesting is counted event by event (its scanner looks ahead 1024 characters at most), lines
 * that start with '%' are refused before it sees them, and bytes, nodes and keys of a map are
 * limited.  The encoding is fixed to UTF-8: a UTF-16 file could hide what is looked for here.
 *
 * What does not break the tree (a duplicate key, an anchor, a tag) is reported and read on, so
 * that a person sees every mistake at once.
 */
#include "base/yaml_doc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define MAX_NODES (UINT32_C(4) << 20)
#define MAX_KEYS 128	 /* of one map: its duplicates are sought one by one */
#define KEY_CACHE 64	 /* recent keys, so that 100,000 hosts share one "name" */
#define TEXT_CHUNK 65536 /* scalars are packed into chunks of this size */

/* A list or map that is not yet closed. */
struct open_node {
	struct yaml_node *node;
	struct yaml_node *last; /* its last child so far */
	const char *key;	/* of a map: read, its value not yet */
	uint32_t key_line, key_col;
};

struct builder {
	struct yaml_doc *doc;
	struct arena *arena;
	struct problems *problems;
	struct err *err;
	struct open_node open[YAML_MAX_DEPTH];
	unsigned depth;
	uint32_t nodes;
	char *chunk;
	size_t chunk_left;
	const char *key_cache[KEY_CACHE];
	bool ended; /* the first document is complete */
};

static void mark_problem(struct builder *b, yaml_mark_t mark, const char *text)
{
	problem_add(b->problems, PROBLEM_ERROR, b->doc->file, (unsigned)mark.line + 1,
		    (unsigned)mark.column + 1, "%s", text);
}

static const char *store_text(struct builder *b, const char *text, size_t len)
{
	char *copy;

	if (len >= TEXT_CHUNK / 4)
		return arena_strndup(b->arena, text, len);
	if (b->chunk_left <= len) {
		b->chunk = arena_alloc(b->arena, TEXT_CHUNK);
		if (b->chunk == NULL)
			return NULL;
		b->chunk_left = TEXT_CHUNK;
	}
	copy = b->chunk;
	memcpy(copy, text, len);
	copy[len] = '\0';
	b->chunk += len + 1;
	b->chunk_left -= len + 1;
	return copy;
}

static const char *store_key(struct builder *b, const char *text, size_t len)
{
	unsigned hash = 5381;
	const char **cached;

	for (size_t i = 0; i < len; i++)
		hash = hash * 33 + (unsigned char)text[i];
	cached = &b->key_cache[(hash ^ hash >> 16) % KEY_CACHE];
	if (*cached == NULL || strcmp(*cached, text) != 0)
		*cached = store_text(b, text, len);
	return *cached;
}

static int out_of_memory(struct builder *b)
{
	return err_set(b->err, ERR_MEMORY, "%s: not enough memory", b->doc->file);
}

/* Reports what ends the reading. */
static int stop_at(struct builder *b, yaml_mark_t mark, const char *text)
{
	mark_problem(b, mark, text);
	return err_set(b->err, ERR_CONFIG, "%s: %s", b->doc->file, text);
}

/* Hangs a new node into the list or map that is open. */
static void attach(struct builder *b, struct yaml_node *node)
{
	struct open_node *parent = b->depth > 0 ? &b->open[b->depth - 1] : NULL;

	if (parent == NULL) {
		b->doc->root = node;
		return;
	}
	if (parent->node->kind == YAML_MAP) {
		node->key = parent->key;
		node->key_line = parent->key_line;
		node->key_col = parent->key_col;
		parent->key = NULL;
	}
	if (parent->last == NULL)
		parent->node->first = node;
	else
		parent->last->next = node;
	parent->last = node;
	parent->node->count++;
}

static int add_node(struct builder *b, enum yaml_kind kind, yaml_mark_t mark,
		    struct yaml_node **out)
{
	struct yaml_node *node;

	if (++b->nodes > MAX_NODES)
		return stop_at(b, mark, "more than 4 million values; split the file");
	node = arena_alloc(b->arena, sizeof *node);
	if (node == NULL)
		return out_of_memory(b);
	node->kind = (uint8_t)kind;
	node->line = (uint32_t)mark.line + 1;
	node->col = (uint32_t)mark.column + 1;
	*out = node;
	attach(b, node);
	return 0;
}

static void refuse_anchor_and_tag(struct builder *b, yaml_mark_t mark, const void *anchor,
				  const void *tag)
{
	if (anchor != NULL)
		mark_problem(b, mark, "anchors (&name) are not supported; write the value out");
	if (tag != NULL)
		mark_problem(b, mark, "tags (!name) are not supported; quote text instead");
}

/* True when the next scalar is a key of the open map. */
static bool wants_key(const struct builder *b)
{
	return b->depth > 0 && b->open[b->depth - 1].node->kind == YAML_MAP &&
	       b->open[b->depth - 1].key == NULL;
}

static int take_key(struct builder *b, const yaml_event_t *event)
{
	struct open_node *map = &b->open[b->depth - 1];
	const char *text = (const char *)event->data.scalar.value;
	yaml_mark_t mark = event->start_mark;

	if (map->node->count >= MAX_KEYS)
		return stop_at(b, mark, "a map of more than 128 keys");
	map->key = store_key(b, text, strlen(text));
	if (map->key == NULL)
		return out_of_memory(b);
	map->key_line = (uint32_t)mark.line + 1;
	map->key_col = (uint32_t)mark.column + 1;
	if (strcmp(text, "<<") == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		mark_problem(b, mark, "merge keys (<<) are not supported; write the values out");
	for (const struct yaml_node *n = map->node->first; n != NULL; n = n->next) {
		if (n->key != map->key && strcmp(n->key, text) != 0)
			continue;
		problem_add(b->problems, PROBLEM_ERROR, b->doc->file, map->key_line, map->key_col,
			    "key \"%.60s\" is there twice; the first is in line %u", text,
			    n->key_line);
		break;
	}
	return 0;
}

static int take_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml_node *node = NULL;
	int rc;

	if (strlen(text) != len)
		mark_problem(b, event->start_mark, "a NUL character inside a text");
	refuse_anchor_and_tag(b, event->start_mark, event->data.scalar.anchor,
			      event->data.scalar.tag);
	if (wants_key(b))
		return take_key(b, event);
	rc = add_node(b, YAML_SCALAR, event->start_mark, &node);
	if (rc != 0)
		return rc;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = store_text(b, text, strlen(text));
	return node->text == NULL ? out_of_memory(b) : 0;
}

static int open_collection(struct builder *b, enum yaml_kind kind, yaml_mark_t mark)
{
	struct yaml_node *node = NULL;
	int rc;

	if (wants_key(b))
		return stop_at(b, mark, "a list or map as a key; a key is a plain word");
	if (b->depth == YAML_MAX_DEPTH)
		return stop_at(b, mark, "nested deeper than 32 levels");
	rc = add_node(b, kind, mark, &node);
	if (rc == 0)
		b->open[b->depth++] = (struct open_node){.node = node};
	return rc;
}

/* An alias stands where a value or a key would: reported, and replaced by an empty text. */
static int take_alias(struct builder *b, const yaml_event_t *event)
{
	yaml_event_t empty = {.start_mark = event->start_mark};

	mark_problem(b, event->start_mark,
		     "aliases (*name) are not supported; write the value out");
	empty.data.scalar.value = (yaml_char_t[]){0};
	empty.data.scalar.style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return take_scalar(b, &empty);
}

static int take_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->ended)
			return stop_at(b, event->start_mark,
				       "a second document; one file holds one document");
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		b->ended = true;
		return 0;
	case YAML_ALIAS_EVENT:
		return take_alias(b, event);
	case YAML_SCALAR_EVENT:
		return take_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		refuse_anchor_and_tag(b, event->start_mark, event->data.sequence_start.anchor,
				      event->data.sequence_start.tag);
		return open_collection(b, YAML_LIST, event->start_mark);
	case YAML_MAPPING_START_EVENT:
		refuse_anchor_and_tag(b, event->start_mark, event->data.mapping_start.anchor,
				      event->data.mapping_start.tag);
		return open_collection(b, YAML_MAP, event->start_mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

static yaml_mark_t mark_of_offset(const char *text, size_t offset)
{
	yaml_mark_t mark = {.index = offset};

	for (size_t i = 0; i < offset; i++) {
		mark.column++;
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static int syntax_error(struct builder *b, const yaml_parser_t *parser, const char *text,
			size_t len)
{
	yaml_mark_t mark = parser->problem_mark;
	char message[256];

	if (parser->error == YAML_MEMORY_ERROR)
		return out_of_memory(b);
	if (parser->error == YAML_READER_ERROR)
		mark = mark_of_offset(text,
				      parser->problem_offset < len ? parser->problem_offset : len);
	if (mark.index < len && text[mark.index] == '\t')
		(void)snprintf(message, sizeof message, "a tab; indent with spaces");
	else if (parser->context != NULL && parser->context_mark.line != mark.line)
		(void)snprintf(message, sizeof message, "%s, %s that began in line %zu",
			       parser->problem, parser->context, parser->context_mark.line + 1);
	else
		(void)snprintf(message, sizeof message, "%s%s%s", parser->problem,
			       parser->context != NULL ? " " : "",
			       parser->context != NULL ? parser->context : "");
	return stop_at(b, mark, message);
}

/* What must not reach libyaml; see the head of this file. */
static int refuse_bytes(struct builder *b, const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len);

	if (len > YAML_MAX_BYTES)
		return stop_at(b, (yaml_mark_t){0}, "larger than 64 MiB; split the file");
	if (nul != NULL)
		return stop_at(b, mark_of_offset(text, (size_t)(nul - text)),
			       "a NUL byte; this is not a text file");
	for (const char *p = text; (p = memchr(p, '%', len - (size_t)(p - text))) != NULL; p++) {
		size_t at = (size_t)(p - text);

		/* All that libyaml takes for a line's end. */
		if (at == 0 || p[-1] == '\n' || p[-1] == '\r' ||
		    (at >= 2 && memcmp(p - 2, "\xc2\x85", 2) == 0) ||
		    (at >= 3 && memcmp(p - 3, "\xe2\x80\xa8", 3) == 0) ||
		    (at >= 3 && memcmp(p - 3, "\xe2\x80\xa9", 3) == 0))
			return stop_at(b, mark_of_offset(text, at),
				       "a line that begins with %; directives are not supported");
	}
	return 0;
}

static int read_events(struct builder *b, yaml_parser_t *parser, const char *text, size_t len)
{
	yaml_event_type_t type;
	yaml_event_t event;
	int rc;

	do {
		if (!yaml_parser_parse(parser, &event))
			return syntax_error(b, parser, text, len);
		type = event.type;
		rc = take_event(b, &event);
		yaml_event_delete(&event);
	} while (rc == 0 && type != YAML_STREAM_END_EVENT);
	return rc;
}

int yaml_read_text(struct yaml_doc *doc, const char *name, const char *text, size_t len,
		   struct arena *arena, struct problems *problems, struct err *err)
{
	struct builder b = {.doc = doc, .arena = arena, .problems = problems, .err = err};
	yaml_parser_t parser;
	int rc;

	*doc = (struct yaml_doc){.file = arena_strdup(arena, name)};
	if (doc->file == NULL)
		return err_set(err, ERR_MEMORY, "%s: not enough memory", name);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	rc = refuse_bytes(&b, text, len);
	if (rc != 0)
		return rc;
	if (!yaml_parser_initialize(&parser))
		return out_of_memory(&b);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	rc = read_events(&b, &parser, text, len);
	yaml_parser_delete(&parser);
	if (rc == 0 && doc->root == NULL)
		rc = stop_at(&b, (yaml_mark_t){0}, "empty; begin with \"version: 1\"");
	if (rc != 0)
		doc->root = NULL;
	return rc;
}

/* Reads fd to its end, at most one byte beyond the limit, so that the limit is seen. */
static int read_all(int fd, char **out, size_t *len)
{
	size_t size = 65536;
	struct stat st;
	char *text;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		size = (size_t)st.st_size;
	size = (size < YAML_MAX_BYTES ? size : YAML_MAX_BYTES) + 1;
	text = malloc(size);
	*len = 0;
	while (text != NULL) {
		ssize_t n = read(fd, text + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			return -1;
		}
		*len += (size_t)n;
		*out = text;
		if (n == 0 || *len > YAML_MAX_BYTES)
			return 0;
		if (*len == size) {
			char *bigger = realloc(text, size * 2);

			if (bigger == NULL)
				break;
			text = bigger;
			size *= 2;
		}
	}
	free(text);
	errno = ENOMEM;
	return -1;
}

int yaml_read_file(struct yaml_doc *doc, const char *path, struct arena *arena,
		   struct problems *problems, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	const char *name = is_stdin ? "standard input" : path;
	char *text = NULL;
	size_t len = 0;
	int rc;

	*doc = (struct yaml_doc){.file = path};
	if (fd < 0 || read_all(fd, &text, &len) != 0)
		rc = err_set(err, errno == ENOMEM ? ERR_MEMORY : ERR_NOINPUT, "%s: %s", name,
			     strerror(errno));
	else
		rc = yaml_read_text(doc, name, text, len, arena, problems, err);
	if (fd >= 0 && !is_stdin)
		(void)close(fd);
	free(text);
	return rc;
}
