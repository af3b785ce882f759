/*
 * The limit of the machine: datagrams in, the same octets out, with only the QR bit set.
 *
 * One thread, one socket, recvmmsg and sendmmsg: what is left of a name server when answering
 * costs nothing. Usage: echo ADDRESS PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, LARGEST = 1500, BUFFER = 4 * 1024 * 1024, QR_OCTET = 2, QR = 0x80 };

static unsigned char octets[BATCH][LARGEST];
static struct sockaddr_in clients[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

static int bound_socket(const char *address, const char *port) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int buffer = BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || inet_pton(AF_INET, address, &own.sin_addr) != 1)
        return -1;
    /* As the name servers do; the kernel caps it at net.core.[rw]mem_max. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    return bind(fd, (struct sockaddr *)&own, sizeof own) ? -1 : fd;
}

static void prepare(int slot) {
    parts[slot].iov_base = octets[slot];
    parts[slot].iov_len = LARGEST;
    messages[slot].msg_hdr.msg_name = &clients[slot];
    messages[slot].msg_hdr.msg_namelen = sizeof clients[slot];
    messages[slot].msg_hdr.msg_iov = &parts[slot];
    messages[slot].msg_hdr.msg_iovlen = 1;
}

int main(int argc, char **argv) {
    int fd = argc == 3 ? bound_socket(argv[1], argv[2]) : -1;

    if (fd < 0) {
        perror("echo ADDRESS PORT");
        return 1;
    }
    for (;;) {
        int received, sent = 0;

        for (int slot = 0; slot < BATCH; slot++)
            prepare(slot);
        received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int slot = 0; slot < received; slot++) {
            parts[slot].iov_len = messages[slot].msg_len;
            if (messages[slot].msg_len > QR_OCTET)
                octets[slot][QR_OCTET] |= QR;
        }
        while (sent < received) {
            int done = sendmmsg(fd, messages + sent, (unsigned)(received - sent), 0);
            if (done <= 0 && errno != EINTR)
                break;
            sent += done > 0 ? done : 0;
        }
    }
}
