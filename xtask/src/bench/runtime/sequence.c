/* sequence STEP [-- STEP]...: executes commands one after another and prints
 * for each the time from its start to its end and the most memory that it had.
 *
 * STEP is a command, or
 *   @exit FILE   wait for the end of the process whose ID is in FILE
 *   @kill FILE   the same, after killing it
 *
 * A line per step: nanoseconds, the largest resident set in kilobytes (0 when
 * the process was not ours to wait for). A last line for processes that
 * commands left to us and that nothing else waited for. Fails at the first
 * command that fails.
 *
 * Why not from Rust: the kernel counts as a program's largest resident set also
 * that of the program that executed it, so the one that executes must be small
 * and static; and it must be the reaper of what a runtime leaves behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "sequence: %s %s: %s\n", what, detail, strerror(errno));
    exit(1);
}

static long end_of(const char *file, int signal)
{
    char text[32] = "";
    int from = open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0 || read(from, text, sizeof text - 1) <= 0)
        fail("cannot read", file);
    close(from);
    pid_t pid = atoi(text);
    struct rusage usage = {0};
    int process = syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        fail("no process of", file);
    if (signal && syscall(SYS_pidfd_send_signal, process, signal, NULL, 0) < 0)
        fail("cannot kill the process of", file);
    struct pollfd one = {process, POLLIN, 0};
    if (poll(&one, 1, 10000) != 1) {
        errno = ETIMEDOUT;
        fail("the process does not end:", file);
    }
    close(process);
    /* Not ours when it was left by an earlier sequence. */
    if (wait4(pid, NULL, 0, &usage) < 0 && errno != ECHILD)
        fail("cannot wait for the process of", file);
    return usage.ru_maxrss;
}

static long execute(char **command, int null)
{
    struct rusage usage;
    int status;
    pid_t pid = vfork();
    if (pid < 0)
        fail("vfork", "");
    if (pid == 0) {
        dup2(null, 0);
        dup2(null, 1);
        execvp(command[0], command);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) < 0)
        fail("wait4", command[0]);
    if (status != 0) {
        fprintf(stderr, "sequence:");
        for (int index = 0; command[index]; index++)
            fprintf(stderr, " %s", command[index]);
        fprintf(stderr, " ended with status 0x%x\n", status);
        exit(1);
    }
    return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (argc < 2 || null < 0)
        return 2;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        fail("prctl", "PR_SET_CHILD_SUBREAPER");
    long long times[argc];
    long memory[argc];
    int steps = 0;
    for (char **step = argv + 1; step < argv + argc;) {
        char **end = step;
        while (end < argv + argc && strcmp(*end, "--") != 0)
            end++;
        *end = NULL;
        long long started = now();
        if (strcmp(step[0], "@exit") == 0)
            memory[steps] = end_of(step[1], 0);
        else if (strcmp(step[0], "@kill") == 0)
            memory[steps] = end_of(step[1], SIGKILL);
        else
            memory[steps] = execute(step, null);
        times[steps++] = now() - started;
        step = end + 1;
    }
    /* Printed at the end: it is no part of anybody's time. */
    for (int index = 0; index < steps; index++)
        printf("%lld %ld\n", times[index], memory[index]);
    long most = 0;
    struct rusage usage;
    while (wait4(-1, NULL, WNOHANG, &usage) > 0)
        most = usage.ru_maxrss > most ? usage.ru_maxrss : most;
    printf("0 %ld\n", most);
    return 0;
}
