#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "ptune_platform.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

static int moved_up(int *end) {
  int moved = fcntl(*end, F_DUPFD_CLOEXEC, 10);
  if (moved < 0) return errno;
  close(*end);
  *end = moved;
  return 0;
}

int ptune_make_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe(ends) != 0) return errno;
  int status = moved_up(&ends[0]);
  if (status == 0) status = moved_up(&ends[1]);
  if (status != 0) {
    close(ends[0]);
    close(ends[1]);
    return status;
  }
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int ptune_spawn_child(pid_t *pid, const char *path, char *const arguments[], char *const environment[], bool own_group,
                      int error_end, int report_end) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int status = posix_spawn_file_actions_init(&actions);
  if (status != 0) return status;
  status = posix_spawnattr_init(&attributes);
  if (status != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return status;
  }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, error_end, 2);
  posix_spawn_file_actions_adddup2(&actions, report_end, 3);

  /* The parent may ignore or block signals; a child is to meet them as in a fresh process. */
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           (own_group ? POSIX_SPAWN_SETPGROUP : 0) | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  status = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

void ptune_become_child(pid_t parent) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if defined(__linux__)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (getppid() != parent) _exit(1); /* it ended before the call above */
}

bool ptune_executable_path(char *out, size_t capacity) {
#if defined(__linux__)
  ssize_t length = readlink("/proc/self/exe", out, capacity - 1);
  if (length < 0 || (size_t)length >= capacity - 1) return false;
  out[length] = 0;
  return true;
#elif defined(__APPLE__)
  uint32_t size = (uint32_t)capacity;
  return _NSGetExecutablePath(out, &size) == 0;
#else
  (void)out;
  (void)capacity;
  return false;
#endif
}

int ptune_exchange(const char *first, const char *second) {
#if defined(__linux__) && defined(SYS_renameat2)
  /* Through the system call, since not every C library has the function. The flag is RENAME_EXCHANGE. */
  return syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, 1u << 1) == 0 ? 0 : errno;
#elif defined(__APPLE__)
  return renamex_np(first, second, RENAME_SWAP) == 0 ? 0 : errno;
#else
  (void)first;
  (void)second;
  return ENOSYS;
#endif
}

bool ptune_is_of_swift_runtime(const void *function) {
  Dl_info found;
  return function && dladdr(function, &found) != 0 && found.dli_fname && strstr(found.dli_fname, "libswiftCore");
}

/* Sanitizers have a heap of their own, of which the C library knows nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PTUNE_OTHER_HEAP
#endif
#endif

size_t ptune_heap_bytes(void) {
#if !defined(PTUNE_OTHER_HEAP) && defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}
