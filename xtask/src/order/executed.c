/* executed FILE PROGRAM [ARGUMENT]...: runs a program at a fixed address step
 * by step and appends to FILE where it, and the processes that it made, were:
 * hexadecimal addresses, to 16 bytes. Ends with the program; processes that it
 * leaves go on by themselves. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where an executable that is not relocated can be. */
#define FIRST 0x200000UL
#define LAST 0x4000000UL

static unsigned char executed[(LAST - FIRST) / 16];
static pid_t left[64];

static int is_left(pid_t pid)
{
    for (int index = 0; index < 64; index++)
        if (left[index] == pid || left[index] == 0) {
            left[index] = pid;
            return 1;
        }
    return 0;
}

int main(int argc, char **argv)
{
    int status, code = 1;
    pid_t program, pid;

    if (argc < 3)
        return 2;
    program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    if (waitpid(program, &status, 0) != program || !WIFSTOPPED(status))
        return 1;
    ptrace(PTRACE_SETOPTIONS, program, 0,
           PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
    ptrace(PTRACE_SINGLESTEP, program, 0, 0);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        struct user_regs_struct registers;
        int signal;

        if (!WIFSTOPPED(status)) {
            if (pid == program) {
                code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
                break;
            }
            continue;
        }
        is_left(pid);
        if (ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && registers.rip >= FIRST &&
            registers.rip < LAST)
            executed[(registers.rip - FIRST) / 16] = 1;
        signal = WSTOPSIG(status);
        if (signal == SIGTRAP || signal == SIGSTOP)
            signal = 0;
        ptrace(PTRACE_SINGLESTEP, pid, 0, signal);
    }
    for (int index = 0; index < 64 && left[index] != 0; index++) {
        /* One that has ended cannot be stopped. */
        pid = left[index];
        if (pid == program || kill(pid, SIGSTOP) < 0)
            continue;
        /* The last step may be reported first; left pending, the signal would
         * stop the process for good. */
        while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
               WSTOPSIG(status) != SIGSTOP)
            ptrace(PTRACE_CONT, pid, 0, 0);
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    FILE *file = fopen(argv[1], "a");
    if (!file)
        return 1;
    for (unsigned long index = 0; index < sizeof executed; index++)
        if (executed[index])
            fprintf(file, "%lx\n", FIRST + index * 16);
    return fclose(file) == 0 ? code : 1;
}
