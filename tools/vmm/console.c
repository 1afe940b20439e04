// SPDX-License-Identifier: GPL-2.0-only
/* Where the guest prints. */
#include <errno.h>
#include <unistd.h>

#include "console.h"

void console_init(struct console *con, int fd)
{
	pthread_mutex_init(&con->lock, NULL);
	con->fd = fd;
	con->interactive = isatty(fd);
	con->used = 0;
}

/* With the lock held. What can't be written is dropped, and the error told. */
static int write_out(struct console *con)
{
	size_t done = 0;
	ssize_t n;
	int err = 0;

	while (done < con->used) {
		n = write(con->fd, con->buf + done, con->used - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			break;
		}
		done += n;
	}
	con->used = 0;
	return err;
}

int console_put(struct console *con, char byte)
{
	int err = 0;

	pthread_mutex_lock(&con->lock);
	con->buf[con->used++] = byte;
	if (con->interactive || byte == '\n' || con->used == sizeof(con->buf))
		err = write_out(con);
	pthread_mutex_unlock(&con->lock);
	return err;
}

int console_flush(struct console *con)
{
	int err;

	pthread_mutex_lock(&con->lock);
	err = write_out(con);
	pthread_mutex_unlock(&con->lock);
	return err;
}
