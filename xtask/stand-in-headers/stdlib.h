/* A stand-in for the header of a phone's SDK: enough to check code for it, not to build it. See ../src/target_checks.rs. */
#pragma once
#include <stddef.h>
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *pointer, size_t size);
void free(void *pointer);
_Noreturn void abort(void);
