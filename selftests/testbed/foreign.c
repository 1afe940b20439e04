// SPDX-License-Identifier: GPL-2.0-only
/*
 * foreign ARGUMENT: a program that knows nothing of the testbed, and what such a
 * one, a VMM say, finds on a machine: a filter of system calls, the network of its
 * own host, a tunnel. test_files.py makes it, and has a machine run it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *greeting(void);	/* of a library that comes along */

static void tell(const char *what, int good)
{
	printf("%s: %s\n", what, good ? "yes" : strerror(errno));
}

static int has_loopback(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(address);
	char byte = 0;
	int other;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(server, (struct sockaddr *)&address, size) || listen(server, 1) ||
	    getsockname(server, (struct sockaddr *)&address, &size) ||
	    connect(client, (struct sockaddr *)&address, size))
		return 0;
	other = accept(server, NULL, NULL);
	return write(client, "x", 1) == 1 && read(other, &byte, 1) == 1 && byte == 'x';
}

static int has_tunnel(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	return fd >= 0 && !ioctl(fd, TUNSETIFF, &request);
}

/* From here on, getppid() fails. */
static int has_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 0;
	return syscall(SYS_getppid) < 0 && errno == EXDEV;
}

int main(int argc, char **argv)
{
	char place[64] = "";

	if (argc != 2 || !getcwd(place, sizeof(place)))
		return 2;
	printf("%s, %s, in %s\n", greeting(), argv[1], place);
	tell("device", !access("/dev/axvcpu", R_OK | W_OK));
	tell("loopback", has_loopback());
	tell("tunnel", has_tunnel());
	tell("filter", has_filter());
	/* As a guest's kernel might */
	printf("[    1.234567] WARNING: CPU: 0 PID: 1 at kernel/panic.c:1\n");
	return 0;
}
