/* What a power cut would undo: bytes and names that are not on the disk yet. A part of stop.c, whose folder, way to end and
   system calls it uses. */

/* A file's bytes that are surely on the disk. */
static struct {
  char path[PATH_MAX];
  off_t synced;
  bool dirty;
} files[4096];
static int file_count;

/* A change of names that is not on the disk before its folder is synced. */
typedef enum { MADE_FILE, MADE_FOLDER, MOVED, EXCHANGED, REMOVED } change_kind;
static struct {
  change_kind kind;
  char path[PATH_MAX], from[PATH_MAX], backup[PATH_MAX];
  char grave[PATH_MAX]; /* of a move: where earlier changes under its new name are remembered */
} changes[4096];
static int change_count;

static bool inside_of(const char *path, const char *folder) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int file_of(const char *path) {
  for (int index = 0; index < file_count; index++)
    if (strcmp(files[index].path, path) == 0) return index;
  if (file_count == 4096) give_up("too many files");
  struct stat status;
  strcpy(files[file_count].path, path);
  /* What was there before this process counts as synced. */
  files[file_count].synced = stat(path, &status) == 0 ? status.st_size : 0;
  files[file_count].dirty = false;
  return file_count++;
}

static void move_path(char *path, const char *from, const char *to) {
  if (!inside_of(path, from)) return;
  char rest[PATH_MAX];
  strcpy(rest, path + strlen(from));
  snprintf(path, PATH_MAX, "%.2000s%.2000s", to, rest);
}

/* All that is remembered is under its present name. */
static void move_all(const char *from, const char *to) {
  for (int index = 0; index < file_count; index++) move_path(files[index].path, from, to);
  for (int index = 0; index < change_count; index++) {
    move_path(changes[index].path, from, to);
    move_path(changes[index].from, from, to);
  }
}

static void exchange_all(const char *one, const char *other) {
  char aside[PATH_MAX];
  snprintf(aside, sizeof aside, "%.3000s.aside", under);
  move_all(one, aside), move_all(other, one), move_all(aside, other);
}

static void forget_files(const char *path) {
  for (int index = 0; index < file_count; index++)
    if (inside_of(files[index].path, path)) files[index--] = files[--file_count];
}

/* A second name for a file that is about to lose its own. */
static void keep(const char *path, char *backup) {
  static int number;
  struct stat status;
  backup[0] = 0;
  if (lstat(path, &status) != 0) return;
  if (S_ISDIR(status.st_mode)) return; /* an empty one, and made again where that is undone */
  snprintf(backup, PATH_MAX, "%.3000s.undo-%d-%d", under, (int)getpid(), ++number);
  if (sys(SYS_linkat, AT_FDCWD, path, AT_FDCWD, backup, 0) != 0) give_up("no hard links here");
}

static void note(change_kind kind, const char *path, const char *from, const char *backup, const char *grave) {
  if (change_count == 4096) give_up("too many changes");
  changes[change_count].kind = kind;
  strcpy(changes[change_count].path, path);
  strcpy(changes[change_count].from, from ? from : "");
  strcpy(changes[change_count].backup, backup ? backup : "");
  strcpy(changes[change_count].grave, grave ? grave : "");
  change_count++;
}

static void drop_backup(int index) {
  if (changes[index].backup[0]) sys(SYS_unlink, changes[index].backup);
}

static void folder_synced(const char *folder) {
  int kept = 0;
  for (int index = 0; index < change_count; index++) {
    char parent[PATH_MAX];
    strcpy(parent, changes[index].path);
    *strrchr(parent, '/') = 0;
    if (strcmp(parent, folder) == 0) {
      drop_backup(index);
    } else {
      if (kept != index) changes[kept] = changes[index];
      kept++;
    }
  }
  change_count = kept;
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *place) {
  (void)status, (void)flag, (void)place;
  return sys(SYS_rmdir, path) == 0 ? 0 : (int)sys(SYS_unlink, path);
}

static void lose_bytes(void) {
  for (int index = 0; index < file_count; index++) {
    struct stat status;
    if (!files[index].dirty || stat(files[index].path, &status) != 0) continue;
    sys(SYS_truncate, files[index].path, files[index].synced);
    if (how == CUT_ZEROS) sys(SYS_truncate, files[index].path, status.st_size);
  }
}

static void undo_names(void) {
  while (change_count-- > 0) {
    const char *path = changes[change_count].path, *from = changes[change_count].from;
    const char *backup = changes[change_count].backup;
    switch (changes[change_count].kind) {
      case MADE_FILE: sys(SYS_unlink, path); break;
      case MADE_FOLDER: nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); break;
      case MOVED: sys(SYS_rename, path, from); break;
      case EXCHANGED: sys(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, path, 2); break;
      case REMOVED: break;
    }
    if (backup[0]) sys(SYS_rename, backup, path);
    else if (changes[change_count].kind == REMOVED) sys(SYS_mkdir, path, 0777);
    if (changes[change_count].kind == EXCHANGED) exchange_all(path, from);
    if (changes[change_count].kind == MOVED) {
      move_all(path, from);
      move_all(changes[change_count].grave, path);
    }
  }
}
