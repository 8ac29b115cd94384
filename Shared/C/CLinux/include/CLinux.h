#pragma once
/* What Glibc's module map does not carry: epoll, eventfd, signalfd, accept4.
   _GNU_SOURCE must not be defined here: it changes fd_set and breaks the Glibc module. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
int accept4(int, struct sockaddr *, socklen_t *, int);
void *memmem(const void *, size_t, const void *, size_t);
