#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int pipe2(int[2], int);

static int signal_pipe[2] = {-1, -1};

int polyclinic_signal_pipe(void) {
    if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
    return signal_pipe[0];
}

/* Async-signal-safe: one write of one byte, errno kept. A full pipe already says that signals wait. */
static void note_signal(int number) {
    int kept = errno;
    unsigned char byte = (unsigned char)number;
    if (write(signal_pipe[1], &byte, 1) < 0) { }
    errno = kept;
}

void polyclinic_catch_signal(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, 0);
}
