/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: cli_json_get FILE PATH: prints the value at PATH (a.b.0.c; # for the length of an array) of
 * the one JSON value in FILE. Failure: a message and exit status 1.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *step(json_t *at, const char *name)
{
    if (json_is_array(at) && strcmp(name, "#") == 0)
        return json_integer((json_int_t)json_array_size(at));
    if (json_is_array(at))
        return json_array_get(at, strtoul(name, NULL, 10));
    return json_object_get(at, name);
}

static json_t *descend(json_t *root, char *path)
{
    for (char *name = strtok(path, "."); name != NULL && root != NULL; name = strtok(NULL, "."))
        root = step(root, name);
    return root;
}

int main(int argc, char **argv)
{
    json_error_t error;
    if (argc != 3)
        return 1;
    json_t *root = json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fprintf(stderr, "%s:%d: %s\n", argv[1], error.line, error.text);
        return 1;
    }
    json_t *at = descend(root, argv[2]);
    if (at == NULL) {
        fprintf(stderr, "%s: nothing there\n", argv[2]);
        return 1;
    }
    if (json_is_string(at))
        puts(json_string_value(at));
    else if (json_dumpf(at, stdout, JSON_ENCODE_ANY | JSON_COMPACT) != 0)
        return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
