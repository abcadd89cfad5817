/* Loaded into ptune with LD_PRELOAD: counts what it does to the files under one folder, and at the n-th such operation
   does what a crash, a power cut or a bad disk would do. Linux only.

     PTUNE_STOP_UNDER  the folder, as an absolute path without links
     PTUNE_STOP_AT     n, from 1; 0 only counts
     PTUNE_STOP_HOW    kill       the process ends before the operation, as by kill -9
                       torn       the same, but half of a write is done
                       cut        the power goes before the operation: bytes that were not synced are lost
                       cut-zeros  the same, but the file is as long as it was: zeros stand where they were
                       cut-names  lost are also new, moved and removed names in folders that were not synced
                       full       from then on there is no space for writes and new files
                       full-once  only then
                       read-error the n-th read of a file under the folder fails; reads are counted on their own
                       short      nothing ends, but every write takes 7 bytes at most
     PTUNE_STOP_COUNT  a file to write the number of operations to at the end
     PTUNE_STOP_LIST   a file to write them to, one a line: what is done to which path
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KILL, TORN, CUT, CUT_ZEROS, CUT_NAMES, FULL, FULL_ONCE, READ_ERROR, SHORT };
static const char *const hows[] = {"kill", "torn",      "cut",        "cut-zeros", "cut-names",
                                   "full", "full-once", "read-error", "short"};

static char under[PATH_MAX];
static size_t under_length;
static long stop_at, done, reads;
static int how;
static const char *count_file;
static int list = -1;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* The system call itself, past the functions below. */
#define sys(...) real_syscall()(__VA_ARGS__)
static long (*real_syscall(void))(long, ...) {
  static long (*real)(long, ...);
  if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return real;
}

static void give_up(const char *why) {
  dprintf(2, "stop.c: %s\n", why);
  _exit(99);
}

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("PTUNE_STOP_UNDER"), *at = getenv("PTUNE_STOP_AT"), *way = getenv("PTUNE_STOP_HOW");
  if (!folder) return;
  under_length = (size_t)snprintf(under, sizeof under, "%s", folder);
  stop_at = at ? atol(at) : 0;
  count_file = getenv("PTUNE_STOP_COUNT");
  const char *list_file = getenv("PTUNE_STOP_LIST");
  if (list_file) list = (int)sys(SYS_openat, AT_FDCWD, list_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  how = -1;
  for (size_t index = 0; index < sizeof hows / sizeof *hows; index++)
    if (way && strcmp(way, hows[index]) == 0) how = (int)index;
  if (how < 0) give_up("PTUNE_STOP_HOW is none of those it knows");
}

__attribute__((destructor)) static void end(void) {
  long count = how == READ_ERROR ? reads : done;
  if (!under_length || !count_file || !count) return;  /* the probe's child touches none of these files */
  FILE *file = fopen(count_file, "w");
  if (file) fprintf(file, "%ld\n", count), fclose(file);
}

/* The path without "." and "..", absolute; false if it is not under the folder. */
static bool inside(int at, const char *path, char *full) {
  if (!under_length || !path) return false;
  char folder[PATH_MAX] = "";
  if (*path != '/') {
    if (at == AT_FDCWD) {
      if (!getcwd(folder, sizeof folder)) return false;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", at);
      ssize_t length = readlink(link, folder, sizeof folder - 1);
      if (length < 0) return false;
      folder[length] = 0;
    }
  }
  char joined[2 * PATH_MAX], *saved = NULL;
  snprintf(joined, sizeof joined, "%s/%s", folder, path);
  size_t length = 0;
  for (char *part = strtok_r(joined, "/", &saved); part; part = strtok_r(NULL, "/", &saved)) {
    if (strcmp(part, ".") == 0) continue;
    if (strcmp(part, "..") == 0) {
      while (length > 0 && full[--length] != '/') {}
      continue;
    }
    length += (size_t)snprintf(full + length, PATH_MAX - length, "/%s", part);
  }
  full[length] = 0;
  return length >= under_length && strncmp(full, under, under_length) == 0 &&
         (full[under_length] == '/' || full[under_length] == 0);
}

#include "undo.h"

static void die(void) {
  if (how == CUT || how == CUT_ZEROS || how == CUT_NAMES) lose_bytes();
  if (how == CUT_NAMES) undo_names();
  while (change_count-- > 0) drop_backup(change_count);
  sys(SYS_kill, getpid(), SIGKILL);
}

/* ------------------------------------------------------------------------------- the operations */

static bool is_read(int way) { return way == READ_ERROR || way == SHORT; }

/* Counts an operation. True if the disk is full for it. */
static bool operation(const char *what, const char *path, bool takes_space) {
  done++;
  if (list >= 0) dprintf(list, "%s %s\n", what, path + under_length);
  if (stop_at == 0 || is_read(how)) return false;
  if (how == FULL) return takes_space && done >= stop_at;
  if (how == FULL_ONCE) return takes_space && done == stop_at;
  if (done == stop_at && how != TORN) die();
  return false;
}

/* The path of an open file under the folder. */
static bool path_of(int descriptor, char *full) {
  char link[64], path[PATH_MAX];
  if (!under_length) return false;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0 || path[0] != '/') return false;
  path[length] = 0;
  return inside(AT_FDCWD, path, full);
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  pthread_mutex_lock(&lock);
  bool creates = flags & O_CREAT && inside(at, path, full) && access(full, F_OK) != 0;
  int result = -1;
  if (creates && operation("create", full, true)) {
    errno = ENOSPC;
  } else {
    if (creates && done == stop_at && how == TORN) die();
    result = (int)sys(SYS_openat, at, path, flags, mode);
    if (result >= 0 && creates) {
      note(MADE_FILE, full, NULL, NULL, NULL);
      files[file_of(full)].synced = 0;
    } else if (result >= 0 && flags & (O_WRONLY | O_RDWR) && inside(at, path, full)) {
      file_of(full);
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

#define OPEN(name, parameters, at)                                          \
  int name parameters {                                                     \
    va_list list;                                                           \
    va_start(list, flags);                                                  \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; \
    va_end(list);                                                           \
    return open_at(at, path, flags, mode);                                  \
  }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int folder, const char *path, int flags, ...), folder)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder)

ssize_t write(int descriptor, const void *bytes, size_t count) {
  char full[PATH_MAX];
  pthread_mutex_lock(&lock);
  ssize_t result = -1;
  if (!path_of(descriptor, full)) {
    pthread_mutex_unlock(&lock);
    return sys(SYS_write, descriptor, bytes, count);
  }
  int file = file_of(full);
  if (operation("write", full, true)) {
    errno = ENOSPC;
  } else {
    files[file].dirty = true;
    bool torn = how == TORN && done == stop_at;
    if (torn) count /= 2;
    if (how == SHORT && count > 7) count = 7;
    result = sys(SYS_write, descriptor, bytes, count);
    if (torn) die();
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static int sync_file(int descriptor) {
  char full[PATH_MAX];
  pthread_mutex_lock(&lock);
  if (path_of(descriptor, full)) {
    operation("sync", full, false);
    if (done == stop_at && how == TORN) die();
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
      folder_synced(full);
    } else {
      int file = file_of(full);
      files[file].synced = status.st_size;
      files[file].dirty = false;
    }
  }
  pthread_mutex_unlock(&lock);
  return 0;  /* the file system may be as lazy as it likes: this is about what ptune asks of it */
}
int fsync(int descriptor) { return sync_file(descriptor); }
int fdatasync(int descriptor) { return sync_file(descriptor); }

int ftruncate(int descriptor, off_t size) {
  char full[PATH_MAX];
  pthread_mutex_lock(&lock);
  if (path_of(descriptor, full)) {
    operation("truncate", full, false);
    if (done == stop_at && how == TORN) die();
    int file = file_of(full);
    if (files[file].synced > size) files[file].synced = size;
    files[file].dirty = true;
  }
  int result = (int)sys(SYS_ftruncate, descriptor, size);
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, size); }

static int move_at(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  char old[PATH_MAX], new[PATH_MAX], backup[PATH_MAX] = "";
  pthread_mutex_lock(&lock);
  bool counts = inside(from_at, from, old) && inside(to_at, to, new);
  if (counts) {
    operation(flags & 2 ? "exchange" : "move", new, false);
    if (done == stop_at && how == TORN) die();
    if (!(flags & 2)) keep(new, backup);
  }
  int result = (int)sys(SYS_renameat2, from_at, from, to_at, to, flags);
  if (counts && result == 0) {
    static int number;
    char grave[PATH_MAX] = "";
    if (flags & 2) {
      exchange_all(old, new);
    } else {
      snprintf(grave, sizeof grave, "%.3000s.gone-%d", under, ++number);
      forget_files(new);
      move_all(new, grave);
      move_all(old, new);
    }
    note(flags & 2 ? EXCHANGED : MOVED, new, old, backup, grave);
  } else if (backup[0]) {
    sys(SYS_unlink, backup);
  }
  pthread_mutex_unlock(&lock);
  return result;
}
int rename(const char *from, const char *to) { return move_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return move_at(from_at, from, to_at, to, 0); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  return move_at(from_at, from, to_at, to, flags);
}

static int remove_at(int at, const char *path, int flags) {
  char full[PATH_MAX], backup[PATH_MAX] = "";
  pthread_mutex_lock(&lock);
  bool counts = inside(at, path, full) && access(full, F_OK) == 0;
  if (counts) {
    operation("remove", full, false);
    if (done == stop_at && how == TORN) die();
    if (!(flags & AT_REMOVEDIR)) keep(full, backup);
  }
  int result = (int)sys(SYS_unlinkat, at, path, flags);
  if (counts && result == 0) {
    forget_files(full);
    note(REMOVED, full, NULL, backup, NULL);
  } else if (backup[0]) {
    sys(SYS_unlink, backup);
  }
  pthread_mutex_unlock(&lock);
  return result;
}
int unlink(const char *path) { return remove_at(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return remove_at(at, path, flags); }
int rmdir(const char *path) { return remove_at(AT_FDCWD, path, AT_REMOVEDIR); }

static int make_folder(int at, const char *path, mode_t mode) {
  char full[PATH_MAX];
  pthread_mutex_lock(&lock);
  bool counts = inside(at, path, full) && access(full, F_OK) != 0;
  int result = -1;
  if (counts && operation("folder", full, true)) {
    errno = ENOSPC;
  } else {
    if (counts && done == stop_at && how == TORN) die();
    result = (int)sys(SYS_mkdirat, at, path, mode);
    if (counts && result == 0) note(MADE_FOLDER, full, NULL, NULL, NULL);
  }
  pthread_mutex_unlock(&lock);
  return result;
}
int mkdir(const char *path, mode_t mode) { return make_folder(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return make_folder(at, path, mode); }

/* A further name for a file, or a symbolic link where there is no file to name. */
static int make_link(int from_at, const char *from, int at, const char *path, int flags) {
  char full[PATH_MAX];
  pthread_mutex_lock(&lock);
  bool counts = inside(at, path, full) && access(full, F_OK) != 0;
  int result = -1;
  if (counts && operation("link", full, true)) {
    errno = ENOSPC;
  } else {
    if (counts && done == stop_at && how == TORN) die();
    result = flags < 0 ? (int)sys(SYS_symlinkat, from, at, path) : (int)sys(SYS_linkat, from_at, from, at, path, flags);
    if (counts && result == 0) note(MADE_FILE, full, NULL, NULL, NULL);
  }
  pthread_mutex_unlock(&lock);
  return result;
}
int link(const char *from, const char *to) { return make_link(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
  return make_link(from_at, from, to_at, to, flags);
}
int symlink(const char *target, const char *path) { return make_link(AT_FDCWD, target, AT_FDCWD, path, -1); }
int symlinkat(const char *target, int at, const char *path) { return make_link(AT_FDCWD, target, at, path, -1); }

/* Some calls are made without their function. */
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (int index = 0; index < 6; index++) a[index] = va_arg(list, long);
  va_end(list);
  if (number != SYS_renameat2) return sys(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  return move_at((int)a[0], (const char *)a[1], (int)a[2], (const char *)a[3], (unsigned)a[4]);
}

/* ------------------------------------------------------------------------------------------ reads */

static bool read_fails(int descriptor) {
  char full[PATH_MAX];
  if (!path_of(descriptor, full)) return false;
  pthread_mutex_lock(&lock);
  bool fails = ++reads == stop_at && how == READ_ERROR;
  pthread_mutex_unlock(&lock);
  if (fails) errno = EIO;
  return fails;
}

ssize_t read(int descriptor, void *bytes, size_t count) {
  return read_fails(descriptor) ? -1 : sys(SYS_read, descriptor, bytes, count);
}
ssize_t pread(int descriptor, void *bytes, size_t count, off_t place) {
  return read_fails(descriptor) ? -1 : sys(SYS_pread64, descriptor, bytes, count, place);
}
ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t place) {
  return pread(descriptor, bytes, count, place);
}

void *mmap(void *start, size_t length, int protection, int flags, int descriptor, off_t place) {
  if (descriptor >= 0 && read_fails(descriptor)) return (void *)-1;
  return (void *)sys(SYS_mmap, start, length, protection, flags, descriptor, place);
}
void *mmap64(void *start, size_t length, int protection, int flags, int descriptor, off64_t place) {
  return mmap(start, length, protection, flags, descriptor, place);
}
