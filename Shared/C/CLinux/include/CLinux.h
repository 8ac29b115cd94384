#pragma once
/* What Glibc's module map does not carry: epoll, eventfd, signalfd, accept4, malloc_trim.
   _GNU_SOURCE must not be defined here: it changes fd_set and breaks the Glibc module. */
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
int accept4(int, struct sockaddr *, socklen_t *, int);
void *memmem(const void *, size_t, const void *, size_t);

/* The reading end of the pipe that carries the numbers of caught signals, made at the first call; -1 on failure. */
int polyclinic_signal_pipe(void);
/* From now on this signal writes its number to the pipe. Call polyclinic_signal_pipe first. */
void polyclinic_catch_signal(int number);
