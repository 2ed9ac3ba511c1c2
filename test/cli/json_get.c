/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: cli_json_get FILE PATH: prints the value at PATH (a.b.0.c; # for the length of an
 *       array) of the one JSON value in FILE.
 * Failure: a message and exit status 1.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *step(const json_t *at, const char *name)
{
    if (json_is_array(at))
        return json_array_get(at, strtoul(name, NULL, 10));
    return json_object_get(at, name);
}

static int print_value(const json_t *at)
{
    if (json_is_string(at))
        return puts(json_string_value(at)) < 0;
    return json_dumpf(at, stdout, JSON_ENCODE_ANY | JSON_COMPACT) != 0;
}

static int print_path(const json_t *at, char *path)
{
    for (char *name = strtok(path, "."); name != NULL; name = strtok(NULL, ".")) {
        if (json_is_array(at) && strcmp(name, "#") == 0)
            return printf("%zu\n", json_array_size(at)) < 0;
        at = step(at, name);
        if (at == NULL) {
            fprintf(stderr, "%s: nothing there\n", name);
            return 1;
        }
    }
    return print_value(at);
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
    int rc = print_path(root, argv[2]);
    json_decref(root);
    return rc || fflush(stdout) != 0;
}
