// SPDX-License-Identifier: GPL-2.0-only
/* After "Permission denied": who may, and what can be done. */
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "denied.h"
#include "report.h"

#define NAME_BYTES	64

/* The file, or false after a message. */
static bool look_at(const char *path, struct stat *st)
{
	if (!stat(path, st))
		return true;
	complain("a directory on the way to it may not be searched by this user");
	return false;
}

void explain_denied_file(const char *path)
{
	struct stat st;

	if (look_at(path, &st))
		complain("its mode is %04o, its owner is user %u: 'chmod a+r %s' lets all read it",
			 st.st_mode & 07777, st.st_uid, path);
}

/*
 * A group by its name, or its number. Not by getgrgid(), for which a program
 * that is linked statically to glibc has to load shared libraries.
 */
static void group_name(gid_t gid, char *name)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *group;

	snprintf(name, NAME_BYTES, "%u", gid);
	while (file && (group = fgetgrent(file))) {
		if (group->gr_gid != gid)
			continue;
		snprintf(name, NAME_BYTES, "%s", group->gr_name);
		break;
	}
	if (file)
		fclose(file);
}

void explain_denied_device(const char *path)
{
	const mode_t both = 0060;	/* the group reads and writes */
	char name[NAME_BYTES];
	struct stat st;

	if (!look_at(path, &st))
		return;
	group_name(st.st_gid, name);
	if (st.st_gid && (st.st_mode & both) == both)
		complain("group %s may open it: 'usermod -aG %s USER' makes a user one of it, "
			 "from the next login on", name, name);
	else
		complain("its mode is %04o, its owner is user %u: be that user, or give it to a "
			 "group by a udev rule, see axvcpu(4)", st.st_mode & 07777, st.st_uid);
}
