// What a path through the kernel costs: one thread has both ends of it, so that its processor time is that of the whole path, and
// other load on the machine moves it by a few percent only. C because a call from TypeScript costs a tenth of what is measured.
//
//   netcost NETNS_A NETNS_B ADDRESS_B PORT SECONDS     (IPv4; the first two are paths of network namespaces)
//
// Prints nanoseconds of processor time: per UDP packet of 64 bytes, per round trip of one, per KiB by TCP.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHECK(call) ({ long r_ = (long)(call); if (r_ < 0) { fprintf(stderr, "%s: %s\n", #call, strerror(errno)); exit(1); } r_; })
enum { PACKET = 64, BATCH = 16, CHUNK = 64 * 1024 };

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int open_in(const char *netns, int type) {
  int fd = CHECK(open(netns, O_RDONLY | O_CLOEXEC));
  CHECK(setns(fd, CLONE_NEWNET));
  close(fd);
  return CHECK(socket(AF_INET, type, 0));
}

static void wait_long(int fd) {
  struct timeval t = {.tv_sec = 5};
  int size = 4 << 20;
  CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
}

static void packets(int a, int b, double seconds) {
  char buffer[PACKET] = {0};
  long packets = 0;
  double start = cpu();
  while (cpu() - start < seconds * 1e9) {
    for (int i = 0; i < BATCH; i++) CHECK(send(a, buffer, PACKET, 0));
    for (int i = 0; i < BATCH; i++, packets++) CHECK(recv(b, buffer, PACKET, 0));
  }
  printf("packet %.1f\n", (cpu() - start) / packets);
}

static void round_trips(int a, int b, double seconds) {
  char buffer[PACKET] = {0};
  long trips = 0;
  double start = cpu();
  while (cpu() - start < seconds * 1e9) {
    for (int i = 0; i < 256; i++, trips++) {
      CHECK(send(a, buffer, PACKET, 0));
      CHECK(recv(b, buffer, PACKET, 0));
      CHECK(send(b, buffer, PACKET, 0));
      CHECK(recv(a, buffer, PACKET, 0));
    }
  }
  printf("roundtrip %.1f\n", (cpu() - start) / trips);
}

// What is sent is received before more is: nothing waits in a queue for another thread to move it.
static void tcp(int a, int b, double seconds) {
  static char buffer[CHUNK];
  double bytes = 0, start = cpu();
  // The first mebibytes open the window.
  for (int turn = -256; turn < 0 || cpu() - start < seconds * 1e9; turn++) {
    if (turn == 0) start = cpu(), bytes = 0;
    CHECK(send(a, buffer, CHUNK, 0));
    CHECK(recv(b, buffer, CHUNK, MSG_WAITALL));
    bytes += CHUNK;
  }
  printf("kib %.2f\n", (cpu() - start) / (bytes / 1024));
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "usage: netcost NETNS_A NETNS_B ADDRESS_B PORT SECONDS\n"), 2;
  double seconds = atof(argv[5]);
  int on = 1;
  socklen_t length = sizeof(struct sockaddr_in);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[4]))}, from;
  int ub = open_in(argv[2], SOCK_DGRAM), listener = CHECK(socket(AF_INET, SOCK_STREAM, 0));
  CHECK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  CHECK(bind(ub, (struct sockaddr *)&address, sizeof address));
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address));
  CHECK(listen(listener, 1));
  int ua = open_in(argv[1], SOCK_DGRAM), ta = CHECK(socket(AF_INET, SOCK_STREAM, 0));
  if (inet_pton(AF_INET, argv[3], &address.sin_addr) != 1) return fprintf(stderr, "bad address\n"), 2;
  CHECK(connect(ua, (struct sockaddr *)&address, sizeof address));
  CHECK(connect(ta, (struct sockaddr *)&address, sizeof address));
  int tb = CHECK(accept(listener, 0, 0));
  wait_long(ua), wait_long(ub);
  CHECK(send(ua, "", 1, 0));
  char byte;
  CHECK(recvfrom(ub, &byte, 1, 0, (struct sockaddr *)&from, &length));
  CHECK(connect(ub, (struct sockaddr *)&from, length));
  packets(ua, ub, seconds);
  round_trips(ua, ub, seconds);
  tcp(ta, tb, seconds);
  return 0;
}
