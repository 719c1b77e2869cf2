/* Makes the n-th call of a kind on files below a folder fail, for a process that loads this by LD_PRELOAD.
   Built and armed by shim.py; without arming every call passes through. */

#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, FSYNC, RENAME, TRUNCATE, CREATE, UNLINK, KINDS };
enum { FAIL, SHORT, TORN }; /* an error; half of the bytes, the rest fails; half of the bytes, then SIGKILL */

static char prefix[PATH_MAX];
static atomic_long counts[KINDS];
static atomic_int armed;
static int kind_wanted, error_wanted, mode_wanted, sticky_wanted;
static long nth_wanted;

void faults_arm(const char *folder, int kind, long nth, int error, int mode, int sticky) {
    snprintf(prefix, sizeof prefix, "%s", folder);
    kind_wanted = kind, nth_wanted = nth, error_wanted = error, mode_wanted = mode, sticky_wanted = sticky;
    for (int i = 0; i < KINDS; i++) atomic_store(&counts[i], 0);
    atomic_store(&armed, 1);
}

void faults_disarm(void) { atomic_store(&armed, 0); }

long faults_count(int kind) { return atomic_load(&counts[kind]); }

static int below(const char *path) { return strncmp(path, prefix, strlen(prefix)) == 0; }

static int descriptor_below(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

/* Whether this call is to fail; counts it. */
static int hit(int kind) {
    long number = atomic_fetch_add(&counts[kind], 1);
    if (kind != kind_wanted || nth_wanted < 0) return 0;
    return number == nth_wanted || (sticky_wanted && number > nth_wanted);
}

static int path_fails(int kind, const char *path) {
    if (!atomic_load(&armed) || !below(path) || !hit(kind)) return 0;
    errno = error_wanted;
    return 1;
}

static int descriptor_fails(int kind, int descriptor) {
    if (!atomic_load(&armed) || !descriptor_below(descriptor) || !hit(kind)) return 0;
    errno = error_wanted;
    return 1;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* How many bytes of a write that fails are written all the same. */
static size_t part_of(size_t size) {
    if (mode_wanted == FAIL || atomic_load(&counts[WRITE]) - 1 > nth_wanted) return 0;
    return size / 2;
}

static ssize_t after_part(ssize_t written) {
    if (mode_wanted == TORN) kill(getpid(), SIGKILL);
    return written;
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (!descriptor_fails(WRITE, descriptor)) return real(descriptor, bytes, size);
    size_t part = part_of(size);
    return part ? after_part(real(descriptor, bytes, part)) : -1;
}

#define PWRITE(name, offset_type) \
    ssize_t name(int descriptor, const void *bytes, size_t size, offset_type offset) { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        if (!descriptor_fails(WRITE, descriptor)) return real(descriptor, bytes, size, offset); \
        size_t part = part_of(size); \
        return part ? after_part(real(descriptor, bytes, part, offset)) : -1; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return descriptor_fails(WRITE, descriptor) ? -1 : real(descriptor, parts, count);
}

#define ON_DESCRIPTOR(kind, name) \
    int name(int descriptor) { \
        REAL(int, name, int); \
        return descriptor_fails(kind, descriptor) ? -1 : real(descriptor); \
    }
ON_DESCRIPTOR(FSYNC, fsync)
ON_DESCRIPTOR(FSYNC, fdatasync)

#define ON_LENGTH(name, length_type) \
    int name(int descriptor, length_type length) { \
        REAL(int, name, int, length_type); \
        return descriptor_fails(TRUNCATE, descriptor) ? -1 : real(descriptor, length); \
    }
ON_LENGTH(ftruncate, off_t)
ON_LENGTH(ftruncate64, off64_t)

#define ON_TWO_PATHS(name) \
    int name(const char *old, const char *new) { \
        REAL(int, name, const char *, const char *); \
        return path_fails(RENAME, new) ? -1 : real(old, new); \
    }
ON_TWO_PATHS(rename)
ON_TWO_PATHS(link)

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    return path_fails(UNLINK, path) ? -1 : real(path);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, name, const char *, int, ...); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
            if (flags & O_CREAT && path_fails(CREATE, path)) return -1; \
        } \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
