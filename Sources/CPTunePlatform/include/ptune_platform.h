/* System calls that Swift's C library modules lack, or import differently on each system. */
#ifndef PTUNE_PLATFORM_H
#define PTUNE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A pipe whose ends no child inherits, both numbered 10 or higher so that they collide with no descriptor that a
   child is given. Returns 0, or an errno. */
int ptune_make_pipe(int *read_end, int *write_end);

/* Starts `path`, in a process group of its own if `own_group`, with standard input and output closed off, standard
   error on `error_end` and descriptor 3 on `report_end`. Returns 0, or an errno. */
int ptune_spawn_child(pid_t *pid, const char *path, char *const arguments[], char *const environment[], bool own_group,
                      int error_end, int report_end);

/* In the child: leaves no core file, and ends when the parent does. */
void ptune_become_child(pid_t parent);

/* The path of the running executable, zero-terminated; false if it does not fit or is unknown. */
bool ptune_executable_path(char *out, size_t capacity);

/* Makes each of two paths name what the other named, in one step that nobody can see half of. Returns 0, or an errno:
   EINVAL or ENOSYS where the file system or the system cannot. */
int ptune_exchange(const char *first, const char *second);

/* Whether a function belongs to the Swift runtime library: its crash handler does. */
bool ptune_is_of_swift_runtime(const void *function);

/* Bytes of the heap that are in use; 0 where the C library does not count them. */
size_t ptune_heap_bytes(void);

#endif
