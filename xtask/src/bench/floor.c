/* floor LOWER SCRATCH PROGRAM: the bare kernel's part of a container's run.
 *
 * Makes a process in namespaces of its own (mount, pid, uts, ipc, net), mounts
 * an overlay over LOWER there with a fresh upper directory, changes the root to
 * it and executes PROGRAM; waits, and removes the upper directory. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char upper[4096], work[4096], work_inside[4160], merged[4096], options[16384];

static void must(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        _exit(1);
    }
}

static int inside(void *arguments)
{
    char **argv = arguments;
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
    must(mount("overlay", merged, "overlay", 0, options), "overlay");
    must(chdir(merged), "chdir");
    if (mkdir("proc", 0755) < 0 && errno != EEXIST)
        must(-1, "mkdir proc");
    must(mount("proc", "proc", "proc", 0, NULL), "proc");
    must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(umount2(".", MNT_DETACH), "umount");
    must(chdir("/"), "chdir /");
    execv(argv[3], (char *[]){argv[3], NULL});
    perror(argv[3]);
    return 1;
}

int main(int argc, char **argv)
{
    static char stack[65536] __attribute__((aligned(16)));
    int status = 0;
    pid_t pid;

    if (argc != 4)
        return 2;
    snprintf(upper, sizeof upper, "%s/upper", argv[2]);
    snprintf(work, sizeof work, "%s/work", argv[2]);
    snprintf(work_inside, sizeof work_inside, "%s/work", work);
    snprintf(merged, sizeof merged, "%s/merged", argv[2]);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s,volatile",
             argv[1], upper, work);
    mkdir(argv[2], 0755);
    must(mkdir(upper, 0755), "upper");
    must(mkdir(work, 0755), "work");
    must(mkdir(merged, 0755), "merged");

    pid = clone(inside, stack + sizeof stack,
                CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | SIGCHLD,
                argv);
    must(pid, "clone");
    must(waitpid(pid, &status, 0), "waitpid");

    /* What the kernel made in the work directory, and the mount points. */
    char path[8192];
    snprintf(path, sizeof path, "%s/proc", upper);
    rmdir(path);
    snprintf(path, sizeof path, "%s/incompat/volatile/dirty", work_inside);
    unlink(path);
    snprintf(path, sizeof path, "%s/incompat/volatile", work_inside);
    rmdir(path);
    snprintf(path, sizeof path, "%s/incompat", work_inside);
    rmdir(path);
    rmdir(work_inside);
    must(rmdir(upper), "remove upper");
    must(rmdir(work), "remove work");
    must(rmdir(merged), "remove merged");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
